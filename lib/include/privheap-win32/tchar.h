/* SPDX-License-Identifier: MIT */
/* <tchar.h> where TCHAR is char: its names for functions of the C library. */
#ifndef PRIVHEAP_WIN32_TCHAR_H
#define PRIVHEAP_WIN32_TCHAR_H

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "windef.h"

typedef TCHAR	_TCHAR;

#define _T(string)	string
#define _TEXT(string)	string

#define _tmain		main

#define _tprintf	printf
#define _ftprintf	fprintf
#define _vtprintf	vprintf
#define _vftprintf	vfprintf
#define _tscanf		scanf
#define _stscanf	sscanf
#define _putts		puts
#define _fputts		fputs
#define _fgetts		fgets
#define _puttchar	putchar
#define _gettchar	getchar
#define _tfopen		fopen
#define _tperror	perror

#define _tcslen		strlen
#define _tcscpy		strcpy
#define _tcsncpy	strncpy
#define _tcscat		strcat
#define _tcscmp		strcmp
#define _tcsncmp	strncmp
#define _tcsicmp	strcasecmp
#define _tcschr		strchr
#define _tcsrchr	strrchr
#define _tcsstr		strstr
#define _tcstol		strtol
#define _tcstoul	strtoul
#define _tstoi		atoi
#define _ttoi		atoi
#define _istdigit	isdigit
#define _istspace	isspace
#define _totupper	toupper
#define _totlower	tolower

#endif /* PRIVHEAP_WIN32_TCHAR_H */
