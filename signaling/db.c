// How do we talk to an SQL database file? (the only file that knows SQLite)
// SPDX-License-Identifier: MIT
#include "signaling/db.h"

#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <sqlite3.h>
#include <string.h>
#include <unistd.h>

struct db {
    sqlite3 *handle;
    int64_t max_us, until_us; // max_us 0: no limit
};

// What is prepared is a sqlite3_stmt; the name is ours so that nobody else needs to know that one.
static sqlite3_stmt *stmt_of(const struct db_statement *statement)
{
    return (sqlite3_stmt *)statement;
}

static int error_of(int rc)
{
    switch (rc & 0xff) {
    case SQLITE_FULL:
        return -ENOSPC;
    case SQLITE_CONSTRAINT:
    case SQLITE_ERROR:
    case SQLITE_MISMATCH:
    case SQLITE_TOOBIG:
        return -EINVAL;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return -EBUSY;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
        return -EBADMSG;
    case SQLITE_INTERRUPT:
        return -ETIMEDOUT;
    default:
        return -EIO;
    }
}

void db_memory_name(char *out, size_t size)
{
    static unsigned count;
    g_snprintf(out, size, "file:/roda-%d-%u?vfs=memdb", (int)getpid(), ++count);
}

static bool is_memory(const char *name)
{
    return g_str_has_prefix(name, "file:");
}

// SQLite gives its log files the permissions of the database.
static bool make_private(const char *name, char *err, size_t err_size)
{
    int fd = open(name, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0)
        g_snprintf(err, err_size, "%s", g_strerror(errno));
    else
        close(fd);
    return fd >= 0;
}

struct db *db_open(const char *name, bool is_reader, char *err, size_t err_size)
{
    int flags = SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_URI;
    flags |= is_reader && !is_memory(name) ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;
    if (!is_memory(name) && !is_reader && !make_private(name, err, err_size))
        return NULL;
    struct db *db = g_new0(struct db, 1);
    if (sqlite3_open_v2(name, &db->handle, flags, NULL) == SQLITE_OK) {
        sqlite3_extended_result_codes(db->handle, 1);
        sqlite3_busy_timeout(db->handle, is_reader ? DB_BUSY_READER_MS : DB_BUSY_MS);
        sqlite3_db_config(db->handle, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
        sqlite3_db_config(db->handle, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
        return db;
    }
    g_snprintf(err, err_size, "%s", db_error(db));
    db_close(db);
    return NULL;
}

void db_close(struct db *db)
{
    if (!db)
        return;
    int rc = sqlite3_close(db->handle);
    g_assert(rc == SQLITE_OK); // a statement was left behind
    g_free(db);
}

const char *db_error(const struct db *db)
{
    return sqlite3_errmsg(db->handle);
}

int db_run(struct db *db, const char *sql)
{
    int rc = sqlite3_exec(db->handle, sql, NULL, NULL, NULL);
    return rc == SQLITE_OK ? 0 : error_of(rc);
}

int64_t db_ask(struct db *db, const char *sql)
{
    struct db_statement *statement = db_prepare(db, sql);
    int64_t answer = statement && db_step(statement) == 1 ? db_number(statement, 0) : -1;
    db_finish(statement);
    return answer;
}

char *db_ask_text(struct db *db, const char *sql)
{
    struct db_statement *statement = db_prepare(db, sql);
    char *answer = statement && db_step(statement) == 1 ? g_strdup(db_text(statement, 0)) : NULL;
    db_finish(statement);
    return answer;
}

// ---- queries that take too long -----------------------------------------------------------------------------

static int is_over(void *arg)
{
    const struct db *db = arg;
    return g_get_monotonic_time() > db->until_us;
}

void db_limit(struct db *db, int64_t max_us)
{
    enum { STEPS_BETWEEN_LOOKS = 1000 };
    db->max_us = max_us;
    sqlite3_progress_handler(db->handle, STEPS_BETWEEN_LOOKS, is_over, db);
}

// ---- statements ---------------------------------------------------------------------------------------------

struct db_statement *db_prepare(struct db *db, const char *sql)
{
    sqlite3_stmt *stmt = NULL;
    db->until_us = g_get_monotonic_time() + db->max_us;
    int rc = sqlite3_prepare_v2(db->handle, sql, -1, &stmt, NULL);
    return rc == SQLITE_OK ? (struct db_statement *)stmt : NULL;
}

void db_finish(struct db_statement *statement)
{
    sqlite3_finalize(stmt_of(statement));
}

void db_bind_text(struct db_statement *statement, int at, const char *text)
{
    if (at <= sqlite3_bind_parameter_count(stmt_of(statement)))
        sqlite3_bind_text(stmt_of(statement), at, text, -1, SQLITE_STATIC);
}

void db_bind_number(struct db_statement *statement, int at, int64_t number)
{
    if (at <= sqlite3_bind_parameter_count(stmt_of(statement)))
        sqlite3_bind_int64(stmt_of(statement), at, number);
}

int db_step(struct db_statement *statement)
{
    int rc = sqlite3_step(stmt_of(statement));
    if (rc == SQLITE_ROW)
        return 1;
    return rc == SQLITE_DONE ? 0 : error_of(rc);
}

void db_reset(struct db_statement *statement)
{
    sqlite3_reset(stmt_of(statement));
    sqlite3_clear_bindings(stmt_of(statement));
}

int64_t db_changes(const struct db *db)
{
    return sqlite3_changes64(db->handle);
}

const char *db_text(const struct db_statement *statement, int column)
{
    return (const char *)sqlite3_column_text(stmt_of(statement), column);
}

int64_t db_number(const struct db_statement *statement, int column)
{
    return sqlite3_column_int64(stmt_of(statement), column);
}
