// Can this process use the folders, files and programs that its settings name?
// SPDX-License-Identifier: MIT
//
// Looked at, never made: true means that a start has a chance, not that the disk will keep its word. Nothing of the
// network. Each returns false with what is wrong and what to do, as the end of a sentence, in `why`.
#pragma once

#include <stdbool.h>
#include <stddef.h>

// A folder that is there and may be written into, or that can be made with all that leads to it.
bool place_folder_is_usable(const char *path, char *why, size_t why_size);

// A file that may be read and written, or that can be made in a folder that is there.
bool place_file_is_usable(const char *path, char *why, size_t why_size);

// A command for sh, run in another folder than this one: its program is there and may be run. What only the shell
// can know ($PROGRAM, a pipeline in braces) is taken on trust.
bool place_command_is_usable(const char *command, char *why, size_t why_size);
