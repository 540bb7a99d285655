// How is each question of store.h asked in SQL?
// SPDX-License-Identifier: MIT
#include "signaling/store_read.h"

#include <errno.h>
#include <glib.h>

#define CALL_COLUMNS                                                                                                 \
    "c.id, c.room, c.type, c.status, c.initiator, c.initiator_name, c.chat_id, c.room_name, c.ended_by, c.reason,"   \
    " c.started_ms, c.answered_ms, c.connected_ms, c.ended_ms, c.changed_ms"

// Gives the rows of a statement whose parameters are bound, then finishes it. Returns how many.
static int read_rows(struct db_statement *statement, void (*give)(const struct db_statement *, void *), void *arg)
{
    int rows = 0, rc;
    while ((rc = db_step(statement)) == 1) {
        give(statement, arg);
        rows++;
    }
    db_finish(statement);
    return rc == 0 ? rows : rc;
}

// ---- calls --------------------------------------------------------------------------------------------------

// Which calls are walked along which index: somebody's are found by their part in them (p), unless only the living
// are wanted, of which there are few (c).
static void append_where(GString *sql, const struct store_query *q, char p)
{
    if (q->is_active)
        g_string_append(sql, " AND c.ended_ms = 0");
    if (q->user && q->is_active)
        g_string_append(sql, " AND EXISTS (SELECT 1 FROM participants WHERE call = c.id AND user = ?1)");
    // A plus keeps a column from being an index: among the living, or in one chat, the rest is only looked through.
    const char *plus = q->is_active ? "+" : "";
    if (q->chat_id)
        g_string_append_printf(sql, " AND %s%c.chat_id = ?2", plus, p);
    if (q->type)
        g_string_append_printf(sql, " AND %s%c.type = ?3", q->chat_id ? "+" : plus, p);
    if (q->before_ms)
        g_string_append_printf(sql, " AND %c.started_ms < ?4", p);
}

static bool is_by_user(const struct store_query *q)
{
    return q->user && !q->is_active;
}

// What is skipped is skipped in the index alone; whole calls are read only of the page.
char *read_calls_sql(const struct store_query *q)
{
    char p = is_by_user(q) ? 'p' : 'c';
    GString *sql = g_string_new("SELECT " CALL_COLUMNS " FROM (SELECT ");
    g_string_append(sql, is_by_user(q) ? "p.call AS id, p.started_ms AS at FROM participants p WHERE p.user = ?1"
                                       : "c.id AS id, c.started_ms AS at FROM calls c WHERE 1");
    append_where(sql, q, p);
    g_string_append_printf(sql, " ORDER BY %c.started_ms DESC LIMIT ?5 OFFSET ?6) page", p);
    g_string_append(sql, " CROSS JOIN calls c ON c.id = page.id ORDER BY page.at DESC");
    return g_string_free(sql, FALSE);
}

char *read_count_sql(const struct store_query *q)
{
    GString *sql = g_string_new("SELECT count(*) FROM (SELECT 1 FROM ");
    g_string_append(sql, is_by_user(q) ? "participants p WHERE p.user = ?1" : "calls c WHERE 1");
    append_where(sql, q, is_by_user(q) ? 'p' : 'c');
    g_string_append(sql, " LIMIT ?5)");
    return g_string_free(sql, FALSE);
}

struct call_reader {
    store_call_h *row;
    void *arg;
};

static void give_call(const struct db_statement *s, void *arg)
{
    const struct call_reader *reader = arg;
    const struct store_call call = {
        .id = db_text(s, 0),
        .room = db_text(s, 1),
        .type = db_text(s, 2),
        .status = db_text(s, 3),
        .initiator = db_text(s, 4),
        .initiator_name = db_text(s, 5),
        .chat_id = db_text(s, 6),
        .room_name = db_text(s, 7),
        .ended_by = db_text(s, 8),
        .reason = db_text(s, 9),
        .started_ms = db_number(s, 10),
        .answered_ms = db_number(s, 11),
        .connected_ms = db_number(s, 12),
        .ended_ms = db_number(s, 13),
        .changed_ms = db_number(s, 14),
    };
    reader->row(reader->arg, &call);
}

// Takes sql.
static struct db_statement *prepare_query(struct db *db, char *sql, const struct store_query *q, unsigned limit)
{
    struct db_statement *statement = db_prepare(db, sql);
    g_free(sql);
    if (!statement)
        return NULL;
    db_bind_text(statement, 1, q->user);
    db_bind_text(statement, 2, q->chat_id);
    db_bind_text(statement, 3, q->type);
    db_bind_number(statement, 4, q->before_ms);
    db_bind_number(statement, 5, limit);
    db_bind_number(statement, 6, q->offset);
    return statement;
}

int read_calls(struct db *db, const struct store_query *q, store_call_h *row, void *arg)
{
    g_assert(q->limit <= STORE_LIMIT_MAX && q->offset <= STORE_OFFSET_MAX);
    struct db_statement *statement = prepare_query(db, read_calls_sql(q), q, q->limit);
    return statement ? read_rows(statement, give_call, &(struct call_reader){row, arg}) : -EIO;
}

int read_count(struct db *db, const struct store_query *q)
{
    struct db_statement *statement = prepare_query(db, read_count_sql(q), q, STORE_COUNT_MAX);
    int rc = statement ? db_step(statement) : -EIO;
    if (rc == 1)
        rc = (int)db_number(statement, 0);
    db_finish(statement);
    return rc;
}

static struct db_statement *prepare_with(struct db *db, const char *sql, const char *key)
{
    struct db_statement *statement = db_prepare(db, sql);
    if (!statement)
        return NULL;
    db_bind_text(statement, 1, key);
    db_bind_number(statement, 2, EVENTS_MAX);
    return statement;
}

int read_call(struct db *db, const char *id, store_call_h *row, void *arg)
{
    struct db_statement *s = prepare_with(db, "SELECT " CALL_COLUMNS " FROM calls c WHERE c.id = ?1", id);
    return s ? read_rows(s, give_call, &(struct call_reader){row, arg}) : -EIO;
}

// ---- what belongs to a call ---------------------------------------------------------------------------------

struct participant_reader {
    store_participant_h *row;
    void *arg;
};

static void give_participant(const struct db_statement *s, void *arg)
{
    const struct participant_reader *reader = arg;
    const struct store_participant participant = {
        .call = db_text(s, 0),
        .user = db_text(s, 1),
        .name = db_text(s, 2),
        .status = db_text(s, 3),
        .reason = db_text(s, 4),
        .is_muted = db_number(s, 5) != 0,
        .is_video_enabled = db_number(s, 6) != 0,
        .is_sharing_screen = db_number(s, 7) != 0,
        .invited_ms = db_number(s, 8),
        .joined_ms = db_number(s, 9),
        .left_ms = db_number(s, 10),
    };
    reader->row(reader->arg, &participant);
}

// One question for all the calls of a page.
int read_participants(struct db *db, const char *const *calls, unsigned count, store_participant_h *row, void *arg)
{
    g_assert(count <= STORE_LIMIT_MAX);
    GString *sql = g_string_new("SELECT call, user, name, status, reason, is_muted, is_video_enabled,"
                                " is_sharing_screen, invited_ms, joined_ms, left_ms"
                                " FROM participants WHERE call IN (NULL");
    for (unsigned i = 0; i < count; i++)
        g_string_append_printf(sql, ", ?%u", i + 1);
    g_string_append_printf(sql, ") ORDER BY call, invited_ms, user LIMIT %u", count * EVENTS_MAX);
    struct db_statement *s = db_prepare(db, sql->str);
    g_string_free(sql, TRUE);
    for (unsigned i = 0; s && i < count; i++)
        db_bind_text(s, (int)i + 1, calls[i]);
    return s ? read_rows(s, give_participant, &(struct participant_reader){row, arg}) : -EIO;
}

struct change_reader {
    store_change_h *row;
    void *arg;
};

static void give_state(const struct db_statement *s, void *arg)
{
    const struct change_reader *reader = arg;
    const struct store_change change = {
        .at_ms = db_number(s, 0), .status = db_text(s, 1), .by = db_text(s, 2), .reason = db_text(s, 3)};
    reader->row(reader->arg, &change);
}

int read_states(struct db *db, const char *call, store_change_h *row, void *arg)
{
    struct db_statement *s = prepare_with(
        db, "SELECT at_ms, status, by, reason FROM states WHERE call = ?1 ORDER BY rowid LIMIT ?2", call);
    return s ? read_rows(s, give_state, &(struct change_reader){row, arg}) : -EIO;
}

static void give_media(const struct db_statement *s, void *arg)
{
    const struct change_reader *reader = arg;
    const struct store_change change = {
        .at_ms = db_number(s, 0),
        .user = db_text(s, 1),
        .is_muted = db_number(s, 2) != 0,
        .is_video_enabled = db_number(s, 3) != 0,
        .is_sharing_screen = db_number(s, 4) != 0,
    };
    reader->row(reader->arg, &change);
}

int read_media(struct db *db, const char *call, store_change_h *row, void *arg)
{
    struct db_statement *s = prepare_with(db,
                                          "SELECT at_ms, user, is_muted, is_video_enabled, is_sharing_screen"
                                          " FROM media WHERE call = ?1 ORDER BY rowid LIMIT ?2",
                                          call);
    return s ? read_rows(s, give_media, &(struct change_reader){row, arg}) : -EIO;
}

struct chat_reader {
    store_chat_h *row;
    void *arg;
};

static void give_chat(const struct db_statement *s, void *arg)
{
    const struct chat_reader *reader = arg;
    const struct store_chat chat = {
        .id = db_text(s, 0),
        .call = db_text(s, 1),
        .room = db_text(s, 2),
        .from = db_text(s, 3),
        .to = db_text(s, 4),
        .text = db_text(s, 5),
        .at_ms = db_number(s, 6),
    };
    reader->row(reader->arg, &chat);
}

int read_chat(struct db *db, const char *call, store_chat_h *row, void *arg)
{
    struct db_statement *s = prepare_with(db,
                                          "SELECT id, call, room, sender, receiver, text, at_ms FROM chat"
                                          " WHERE call = ?1 ORDER BY rowid LIMIT ?2",
                                          call);
    return s ? read_rows(s, give_chat, &(struct chat_reader){row, arg}) : -EIO;
}

// ---- deliveries ---------------------------------------------------------------------------------------------

struct delivery_reader {
    store_delivery_h *row;
    void *arg;
};

static void give_delivery(const struct db_statement *s, void *arg)
{
    const struct delivery_reader *reader = arg;
    const struct store_delivery delivery = {
        .id = db_text(s, 0),
        .url = db_text(s, 1),
        .subject = db_text(s, 2),
        .body = db_text(s, 3),
        .created_ms = db_number(s, 4),
        .next_ms = db_number(s, 5),
        .attempts = (unsigned)db_number(s, 6),
    };
    reader->row(reader->arg, &delivery);
}

int read_deliveries(struct db *db, store_delivery_h *row, void *arg)
{
    struct db_statement *s = db_prepare(db, "SELECT id, url, subject, body, created_ms, next_ms, attempts"
                                            " FROM deliveries ORDER BY n LIMIT ?1");
    if (!s)
        return -EIO;
    db_bind_number(s, 1, STORE_DELIVERIES_MAX);
    return read_rows(s, give_delivery, &(struct delivery_reader){row, arg});
}
