// Which tables are there, and how does an older database become one of today?
// SPDX-License-Identifier: MIT
#include "signaling/store_schema.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "signaling/log.h"

// Step i makes version i + 1 out of version i; what has been released does not change any more.
//
// What history filters by stands in `participants` again, so that a page of somebody's calls is one walk along an
// index. Times are UTC in ms.
static const char *const steps[STORE_VERSION] = {
    "CREATE TABLE calls ("
    " id TEXT PRIMARY KEY, room TEXT NOT NULL, type TEXT NOT NULL, status TEXT NOT NULL,"
    " initiator TEXT NOT NULL, initiator_name TEXT, chat_id TEXT, room_name TEXT, ended_by TEXT, reason TEXT,"
    " started_ms INTEGER NOT NULL, answered_ms INTEGER NOT NULL, connected_ms INTEGER NOT NULL,"
    " ended_ms INTEGER NOT NULL, changed_ms INTEGER NOT NULL) WITHOUT ROWID;"
    "CREATE INDEX calls_by_time ON calls (started_ms);"
    "CREATE INDEX calls_by_type ON calls (type, started_ms);"
    "CREATE INDEX calls_by_chat ON calls (chat_id, started_ms) WHERE chat_id IS NOT NULL;"
    "CREATE INDEX calls_open ON calls (started_ms) WHERE ended_ms = 0;"

    "CREATE TABLE participants ("
    " call TEXT NOT NULL REFERENCES calls ON DELETE CASCADE, user TEXT NOT NULL, name TEXT, status TEXT NOT NULL,"
    " reason TEXT, is_muted INTEGER NOT NULL, is_video_enabled INTEGER NOT NULL, is_sharing_screen INTEGER NOT NULL,"
    " invited_ms INTEGER NOT NULL, joined_ms INTEGER NOT NULL, left_ms INTEGER NOT NULL,"
    " started_ms INTEGER NOT NULL, type TEXT NOT NULL, chat_id TEXT," // of the call
    " PRIMARY KEY (call, user)) WITHOUT ROWID;"
    "CREATE INDEX participants_by_time ON participants (user, started_ms);"
    "CREATE INDEX participants_by_type ON participants (user, type, started_ms);"
    "CREATE INDEX participants_by_chat ON participants (user, chat_id, started_ms) WHERE chat_id IS NOT NULL;"

    "CREATE TABLE states ("
    " call TEXT NOT NULL REFERENCES calls ON DELETE CASCADE, at_ms INTEGER NOT NULL, status TEXT NOT NULL,"
    " by TEXT, reason TEXT);"
    "CREATE INDEX states_by_call ON states (call);"

    "CREATE TABLE media ("
    " call TEXT NOT NULL REFERENCES calls ON DELETE CASCADE, user TEXT NOT NULL, at_ms INTEGER NOT NULL,"
    " is_muted INTEGER NOT NULL, is_video_enabled INTEGER NOT NULL, is_sharing_screen INTEGER NOT NULL);"
    "CREATE INDEX media_by_call ON media (call);"

    "CREATE TABLE chat ("
    " id TEXT PRIMARY KEY, call TEXT REFERENCES calls ON DELETE CASCADE, room TEXT NOT NULL, sender TEXT NOT NULL,"
    " receiver TEXT, text TEXT NOT NULL, at_ms INTEGER NOT NULL);"
    "CREATE INDEX chat_by_call ON chat (call) WHERE call IS NOT NULL;"
    "CREATE INDEX chat_by_time ON chat (at_ms);"

    "CREATE TABLE deliveries ("
    " n INTEGER PRIMARY KEY, id TEXT NOT NULL, url TEXT NOT NULL, subject TEXT NOT NULL, body TEXT NOT NULL,"
    " created_ms INTEGER NOT NULL, next_ms INTEGER NOT NULL, attempts INTEGER NOT NULL, UNIQUE (id, url));"
    "CREATE INDEX deliveries_by_time ON deliveries (created_ms);",
};

static int say(char *err, size_t err_size, int rc, const char *what)
{
    g_snprintf(err, err_size, "%s", what);
    return rc;
}

// A page that was deleted is overwritten: what is gone is gone.
static int set_pragmas(struct db *db, bool is_full_sync)
{
    int rc = db_run(db, "PRAGMA journal_mode = WAL; PRAGMA foreign_keys = ON; PRAGMA secure_delete = ON;"
                        "PRAGMA journal_size_limit = 67108864; PRAGMA temp_store = MEMORY;");
    if (rc == 0)
        rc = db_run(db, is_full_sync ? "PRAGMA synchronous = FULL" : "PRAGMA synchronous = NORMAL");
    return rc;
}

static int check_whole(struct db *db, char *err, size_t err_size)
{
    char *answer = db_ask_text(db, "PRAGMA quick_check(1)");
    bool ok = answer && strcmp(answer, "ok") == 0;
    g_free(answer);
    return ok ? 0 : say(err, err_size, -EBADMSG, "the database is damaged: restore a copy, or move it away");
}

static int migrate(struct db *db, int64_t version)
{
    char mark[64];
    int rc = db_run(db, "BEGIN IMMEDIATE");
    for (int64_t i = version; rc == 0 && i < STORE_VERSION; i++)
        rc = db_run(db, steps[i]);
    g_snprintf(mark, sizeof(mark), "PRAGMA user_version = %d", STORE_VERSION);
    if (rc == 0)
        rc = db_run(db, mark);
    if (rc == 0)
        rc = db_run(db, "COMMIT");
    if (rc != 0)
        db_run(db, "ROLLBACK");
    return rc;
}

int store_schema_open(struct db *db, bool is_full_sync, char *err, size_t err_size)
{
    // Any first touch of a file that is no database fails.
    int64_t version = db_ask(db, "PRAGMA user_version");
    if (version < 0)
        return say(err, err_size, -EBADMSG, db_error(db));
    if (version > STORE_VERSION) {
        g_snprintf(err, err_size,
                   "the database has version %" PRId64 " and this program knows up to %d: run the newer program, or "
                   "name another file",
                   version, STORE_VERSION);
        return -EPROTO;
    }
    if (version == 0 && db_ask(db, "SELECT count(*) FROM sqlite_schema") > 0)
        return say(err, err_size, -EPROTO, "this is a database of another program: name another file");
    int rc = set_pragmas(db, is_full_sync);
    if (rc != 0)
        return say(err, err_size, rc, db_error(db));
    rc = check_whole(db, err, err_size);
    if (rc == 0 && version < STORE_VERSION && (rc = migrate(db, version)) != 0)
        say(err, err_size, rc, db_error(db));
    return rc;
}

static int list_open(struct db *db, GPtrArray *ids)
{
    struct db_statement *statement = db_prepare(db, "SELECT id FROM calls WHERE ended_ms = 0 ORDER BY started_ms");
    int rc = statement ? 0 : -EIO;
    while (statement && (rc = db_step(statement)) == 1)
        g_ptr_array_add(ids, g_strdup(db_text(statement, 0)));
    db_finish(statement);
    return rc;
}

int store_schema_recover(struct db *db, GPtrArray *ids)
{
    int rc = list_open(db, ids);
    if (rc != 0 || ids->len == 0)
        return rc;
    rc = db_run(
        db, "BEGIN IMMEDIATE;"
            "INSERT INTO states (call, at_ms, status, reason)"
            " SELECT id, changed_ms, 'FAILED', 'server-restart' FROM calls WHERE ended_ms = 0;"
            "UPDATE participants SET status = CASE status WHEN 'RINGING' THEN 'MISSED' ELSE 'LEFT' END,"
            " left_ms = (SELECT changed_ms FROM calls WHERE id = call)"
            " WHERE status IN ('RINGING', 'JOINED') AND call IN (SELECT id FROM calls WHERE ended_ms = 0);"
            "UPDATE calls SET status = 'FAILED', reason = 'server-restart', ended_ms = changed_ms WHERE ended_ms = 0;"
            "COMMIT");
    if (rc != 0)
        db_run(db, "ROLLBACK");
    else
        log_warn("store", "%u calls were open when the server ended: closed as FAILED", ids->len);
    return rc;
}
