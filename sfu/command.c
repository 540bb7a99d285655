// What crosses between the signaling thread and a worker?
// SPDX-License-Identifier: MIT
#include "sfu/command.h"

#include <glib.h>
#include <string.h>

struct event_letter {
    struct mail mail;
    struct sfu_event event;
};

struct command *command_new(enum command_type type, uint64_t room, uint64_t peer, const char *text)
{
    struct command *command = g_new0(struct command, 1);
    command->type = type;
    command->room = room;
    command->peer = peer;
    command->text = g_strdup(text);
    return command;
}

void command_free(struct command *command)
{
    g_free(command->text);
    g_free(command);
}

void event_post(struct mailbox *events, const struct sfu_event *event)
{
    struct event_letter *letter = g_new0(struct event_letter, 1);
    letter->event = *event;
    letter->event.text = g_strdup(event->text);
    letter->event.tracks = g_memdup2(event->tracks, event->track_count * sizeof(event->tracks[0]));
    mailbox_post(events, &letter->mail);
}

struct sfu_event *event_of_mail(struct mail *mail)
{
    return &((struct event_letter *)mail)->event;
}

void sfu_event_free(struct sfu_event *event)
{
    if (!event)
        return;
    g_free((char *)(uintptr_t)event->text);
    g_free((struct sfu_track *)(uintptr_t)event->tracks);
    g_free((char *)event - offsetof(struct event_letter, event));
}

static const char *const source_names[SFU_SOURCE_COUNT] = {
    [SFU_MICROPHONE] = "microphone",
    [SFU_CAMERA] = "camera",
    [SFU_SCREEN] = "screen",
    [SFU_SCREEN_AUDIO] = "screen-audio",
};

const char *sfu_source_name(enum sfu_source source)
{
    return source_names[source];
}

bool sfu_source_parse(const char *name, enum sfu_source *source)
{
    for (int i = 0; i < SFU_SOURCE_COUNT; i++) {
        if (strcmp(name, source_names[i]) == 0) {
            *source = (enum sfu_source)i;
            return true;
        }
    }
    return false;
}

const char *sfu_reason_name(enum sfu_reason reason)
{
    static const char *const names[] = {
        [SFU_OK] = "ok",
        [SFU_BAD_SDP] = "bad-sdp",
        [SFU_GLARE] = "glare",
        [SFU_NO_OFFER] = "no-offer",
        [SFU_BAD_CANDIDATE] = "bad-candidate",
        [SFU_LEFT] = "left",
        [SFU_CLOSED] = "closed",
        [SFU_MEDIA_FAILED] = "media-failed",
        [SFU_TOO_MANY] = "too-many",
        [SFU_DISK_FULL] = "disk-full",
        [SFU_DISK_SLOW] = "disk-slow",
        [SFU_DISK_FAILED] = "disk-failed",
        [SFU_INTERRUPTED] = "interrupted",
        [SFU_BAD_ADDRESS] = "bad-address",
    };
    return names[reason];
}
