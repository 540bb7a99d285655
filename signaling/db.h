// How do we talk to an SQL database file? (the only file that knows SQLite)
// SPDX-License-Identifier: MIT
//
// A connection belongs to one thread. Errors are -errno: -ENOSPC (disk full), -EINVAL (a constraint, or bad SQL),
// -EBUSY (somebody else writes), -EBADMSG (damaged, or no database), -ETIMEDOUT (db_limit()), -EIO (the rest).
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct db;
struct db_statement;

// How long to wait for another connection's lock.
enum { DB_BUSY_MS = 5000, DB_BUSY_READER_MS = 250 };

// `name` is a path, or what db_memory_name() made. NULL and the reason in err. The file is made when it is not there,
// readable by its owner only; a reader makes nothing.
struct db *db_open(const char *name, bool is_reader, char *err, size_t err_size);
void db_close(struct db *db); // NULL is allowed; after its statements

// The name of a database in memory that ends with its last connection.
void db_memory_name(char *out, size_t size);

const char *db_error(const struct db *db); // the last one's words, until the next call

// Any number of statements without parameters; rows are dropped.
int db_run(struct db *db, const char *sql);
// The number in the first row of a query without parameters; -1 when it fails.
int64_t db_ask(struct db *db, const char *sql);
// The first text of a query, to be freed with g_free(); NULL when it fails or has no row.
char *db_ask_text(struct db *db, const char *sql);

// From now on a query that takes longer than this is given up.
void db_limit(struct db *db, int64_t max_us);

// NULL: bad SQL.
struct db_statement *db_prepare(struct db *db, const char *sql);
void db_finish(struct db_statement *statement); // NULL is allowed

// Parameters count from 1 (?1); one that the statement does not have is passed over. A NULL text is NULL. Texts are
// borrowed until db_reset().
void db_bind_text(struct db_statement *statement, int at, const char *text);
void db_bind_number(struct db_statement *statement, int at, int64_t number);

int db_step(struct db_statement *statement);   // 1: a row, 0: the end, or an error
void db_reset(struct db_statement *statement); // to be used again, without its texts
int64_t db_changes(const struct db *db);       // rows the last statement that ended changed

// Columns count from 0. Texts live until the next step.
const char *db_text(const struct db_statement *statement, int column); // NULL: it is NULL
int64_t db_number(const struct db_statement *statement, int column);
