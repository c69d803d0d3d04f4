-- SPDX-License-Identifier: GPL-2.0-only
--
-- A day's work for sqlite3, the same on every run: tables and indexes, :rows
-- rows, joins, window functions, a few megabytes of text, and what is left
-- after deleting most of it. No clock, no random numbers. programs_test.sh puts
-- a number for :rows.

.headers on
.mode list
PRAGMA cache_size = -8000;
PRAGMA temp_store = MEMORY;
PRAGMA journal_mode = MEMORY;

CREATE TABLE customer (
	id	INTEGER PRIMARY KEY,
	name	TEXT NOT NULL UNIQUE,
	city	TEXT NOT NULL,
	note	TEXT
);
CREATE TABLE purchase (
	id	INTEGER PRIMARY KEY,
	customer INTEGER NOT NULL REFERENCES customer(id),
	day	INTEGER NOT NULL,
	cents	INTEGER NOT NULL,
	label	TEXT NOT NULL
);
CREATE TABLE page (
	id	INTEGER PRIMARY KEY,
	title	TEXT NOT NULL,
	body	TEXT NOT NULL
);

-- A multiplicative hash stands for chance.
WITH RECURSIVE n(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < 2000)
INSERT INTO customer
SELECT i,
	printf('customer %04d-%x', i, i * 2654435761 % 1000003),
	substr('ULMAIXGENTKIEL', 1 + i * 7919 % 13, 1 + i % 3),
	CASE WHEN i % 3 THEN replace(hex(zeroblob(i % 200)), '00', 'note ') END
FROM n;

BEGIN;
WITH RECURSIVE n(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < :rows)
INSERT INTO purchase
SELECT i, 1 + i * 2654435761 % 2000, i * 40503 % 365, i * 48271 % 99991,
	printf('%s/%d', lower(hex(i * 7 % 4096)), i % 97)
FROM n;
CREATE INDEX purchase_customer ON purchase(customer, day);
CREATE INDEX purchase_label ON purchase(label);
COMMIT;
SELECT count(*), sum(cents), min(label), max(label) FROM purchase;

.print -- joins
SELECT c.city, count(*) AS purchases, sum(p.cents) AS cents,
	count(DISTINCT p.label) AS labels
FROM customer c JOIN purchase p ON p.customer = c.id
GROUP BY c.city ORDER BY cents DESC, c.city;
SELECT c.name, max(p.cents) FROM customer c
LEFT JOIN purchase p ON p.customer = c.id AND p.day BETWEEN 100 AND 110
GROUP BY c.id HAVING count(p.id) = 0 OR c.id % 100 = 0 ORDER BY c.name LIMIT 40;
SELECT count(*), sum(a.cents - b.cents) FROM purchase a
JOIN purchase b ON a.label = b.label AND a.id < b.id;

.print -- windows
WITH ranked AS (
	SELECT customer, day, cents,
		sum(cents) OVER (PARTITION BY customer ORDER BY day, id) AS running,
		rank() OVER (PARTITION BY customer ORDER BY cents DESC) AS place,
		lag(cents, 1, 0) OVER (PARTITION BY customer ORDER BY day, id) AS last,
		avg(cents) OVER (ORDER BY day, id
			ROWS BETWEEN 50 PRECEDING AND CURRENT ROW) AS smooth
	FROM purchase
)
SELECT place, count(*), sum(running), sum(last), printf('%.3f', sum(smooth))
FROM ranked GROUP BY place ORDER BY place LIMIT 30;
SELECT day, ntile(4) OVER (ORDER BY total) AS quarter, total
FROM (SELECT day, sum(cents) AS total FROM purchase GROUP BY day)
ORDER BY day LIMIT 50;

.print -- text
BEGIN;
WITH RECURSIVE n(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < 400)
INSERT INTO page
SELECT i, printf('page %d', i),
	replace(replace(hex(zeroblob(1 + i * 7919 % 4000)), '00',
		printf('%x-', i * 2654435761 % 65521)), '-', char(10 + i % 23, 32))
FROM n;
COMMIT;
SELECT count(*), sum(length(body)), max(length(body)) FROM page;
SELECT length(group_concat(body, title)), length(group_concat(upper(title)))
FROM page;
SELECT sum(instr(body, 'a' || char(20))), sum(length(trim(body, 'abcdef 0123')))
FROM page;
SELECT count(*) FROM page WHERE body LIKE '%7%ff%' OR body GLOB '*[0-3]e*';
SELECT length(json_group_array(json_object('id', id, 'body', substr(body, 1, 500))))
FROM page;
SELECT sum(json_extract(value, '$.cents')) FROM json_each((
	SELECT json_group_array(json_object('label', label, 'cents', cents))
	FROM purchase WHERE id % 5 = 0));
SELECT title, quote(substr(body, 1, 40)) FROM page WHERE id % 50 = 0;
SELECT group_concat(label, ' ') FROM (
	SELECT DISTINCT label FROM purchase ORDER BY label DESC LIMIT 3000);

.print -- a large value, grown and cut
CREATE TABLE large (id INTEGER PRIMARY KEY, bytes BLOB);
INSERT INTO large VALUES (1, zeroblob(5000000)), (2, x'00');
UPDATE large SET bytes = replace(hex(zeroblob(300000)), '00', 'grown ') WHERE id = 2;
SELECT id, length(bytes), typeof(bytes), substr(bytes, 1799990) FROM large WHERE id = 2;
UPDATE large SET bytes = substr(bytes, 1, 1000);
SELECT id, length(bytes) FROM large;

.print -- changes
CREATE TRIGGER purchase_deleted AFTER DELETE ON purchase BEGIN
	UPDATE customer SET note = ifnull(note, '') || old.label || ';'
	WHERE id = old.customer;
END;
BEGIN;
DELETE FROM purchase WHERE id % 10 < 3;
SELECT count(*), sum(length(note)) FROM purchase, customer
WHERE purchase.id = customer.id;
ROLLBACK;
DELETE FROM purchase WHERE id % 10 = 7;
UPDATE purchase SET label = label || '/' || cents WHERE day < 200;
SELECT count(*), sum(length(label)) FROM purchase;
SELECT sum(length(note)), max(length(note)) FROM customer;
DELETE FROM page WHERE id % 8;
CREATE TABLE copy AS SELECT * FROM purchase ORDER BY label, id;
CREATE UNIQUE INDEX copy_label ON copy(label, cents, id);
SELECT * FROM copy WHERE rowid % 1500 = 0;
SELECT count(*) FROM (SELECT * FROM copy EXCEPT SELECT * FROM purchase);
SELECT count(*) FROM (SELECT label FROM copy UNION SELECT name FROM customer);
EXPLAIN QUERY PLAN SELECT * FROM copy WHERE label = 'x' AND cents > 5;
VACUUM;
ANALYZE;
SELECT tbl, idx, stat FROM sqlite_stat1 ORDER BY tbl, idx;
PRAGMA integrity_check;

.print -- errors
.bail off
SELECT * FROM nowhere;
INSERT INTO customer (id, name, city) VALUES (1, 'again', 'ULM');
SELECT length(zeroblob(2000000000));

.print -- all of it
SELECT id, name, city, note FROM customer ORDER BY name;
