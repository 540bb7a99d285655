// Does a fuzz target still take every input of its corpus? (main() where libFuzzer is not linked)
// SPDX-License-Identifier: MIT
#include <dirent.h>
#include <stdio.h>

#include "tests/fuzz/fuzz.h"

static void replay_file(const char *path)
{
    FILE *f = fopen(path, "rb");
    assert(f);
    fseek(f, 0, SEEK_END);
    long size = ftell(f);
    assert(size >= 0);
    rewind(f);
    uint8_t *data = malloc(size ? (size_t)size : 1);
    assert(data && fread(data, 1, (size_t)size, f) == (size_t)size);
    fclose(f);
    LLVMFuzzerTestOneInput(data, (size_t)size);
    free(data);
}

static int replay_folder(const char *folder)
{
    int count = 0;
    DIR *dir = opendir(folder);
    if (!dir)
        return 0;
    for (struct dirent *e; (e = readdir(dir));) {
        char path[4096];
        if (e->d_name[0] == '.')
            continue;
        snprintf(path, sizeof(path), "%s/%s", folder, e->d_name);
        replay_file(path);
        count++;
    }
    closedir(dir);
    return count;
}

// Arguments: corpus folders. Options (for libFuzzer) are skipped.
int main(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        if (argv[i][0] == '-')
            continue;
        int count = replay_folder(argv[i]);
        printf("%s: %d inputs\n", argv[i], count);
        if (count == 0)
            return 1;
    }
    return 0;
}
