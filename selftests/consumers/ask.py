# SPDX-License-Identifier: GPL-2.0-only
"""Clients of the example "requests": asks at the socket given, judges answers."""
import socket
import sys
import time


def ask(path, text):
    with socket.socket(socket.AF_UNIX) as server:
        server.connect(path)
        server.sendall(text.encode())
        server.shutdown(socket.SHUT_WR)
        answer = b""
        while True:
            piece = server.recv(4096)
            if not piece:
                return answer.decode()
            answer += piece


def wait_for(path):
    for _ in range(500):
        with socket.socket(socket.AF_UNIX) as server:
            try:
                server.connect(path)
                # It counts as a request, of no words.
                server.shutdown(socket.SHUT_WR)
                server.recv(100)
                return
            except OSError:
                time.sleep(0.02)
    sys.exit("nobody serves at " + path)


def main():
    path = sys.argv[1]
    wait_for(path)
    many = " ".join("w%d" % i for i in range(50000))
    questions = (
        ("to be or not to be", "6 words, 4 different\n2 be\n2 to\n1 not\n"),
        (many, "refused: it needs too much memory\n"),
        ("last " * 100000, "100000 words, 1 different\n100000 last\n"),
    )
    status = 0
    for question, wanted in questions:
        answer = ask(path, question)
        if answer != wanted:
            print("%.20r: %r instead of %r" % (question, answer, wanted))
            status = 1
    return status


sys.exit(main())
