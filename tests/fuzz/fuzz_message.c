// Is a message the same after being printed, and are its fields within their bounds? (signaling/message.c)
// SPDX-License-Identifier: MIT
#include "signaling/message.h"
#include "tests/fuzz/fuzz.h"

static void read_fields(const struct message *message)
{
    static const char *const words[] = {"audio", "video", NULL};
    struct fault fault = {0};
    struct fields fields = {.data = message->data, .fault = &fault};
    const char *room = field_text(&fields, "roomId", 128);
    assert(!room || strlen(room) <= 4 * 128); // the bound is in characters
    const char *text = field_need_prose(&fields, "text", 4000);
    assert(!text || *text || fault.error == ERROR_BAD_FIELD);
    int choice = field_choice(&fields, "kind", words, 0);
    assert(choice == 0 || choice == 1);
    int number = field_int(&fields, "limit", 1, 100, 10);
    assert(number >= 1 && number <= 100);
    field_bool(&fields, "isMuted", false);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct message message, again;
    struct fault fault = {0};
    if (!message_parse(&message, (const char *)data, len, &fault)) {
        assert(fault.error != ERROR_NONE && fault.text[0]);
        message_clear(&message);
        return 0;
    }
    assert(strlen(message.event) <= MESSAGE_EVENT_MAX && json_is_object(message.data));
    read_fields(&message);
    char *text = message_print(message.event, message.data, message.id, 0);
    assert(text);
    if (strlen(text) <= MESSAGE_MAX) {
        assert(message_parse(&again, text, strlen(text), &fault));
        assert(strcmp(again.event, message.event) == 0 && json_equal(again.data, message.data));
        assert(!message.id == !again.id && (!again.id || json_equal(again.id, message.id)));
        message_clear(&again);
    }
    free(text);
    message_clear(&message);
    return 0;
}
