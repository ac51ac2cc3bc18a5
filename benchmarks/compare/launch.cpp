// SPDX-License-Identifier: BSL-1.0
//
// Runs a program and writes what it cost to a file.
//   compare_launch FILE PROGRAM [ARGUMENT...]
// A process of its own because it is small: the peak of a program's memory is never less than that of who starts it.
// Output goes nowhere: a terminal would be part of what is measured.
#include <cerrno>
#include <chrono>
#include <cstdio>

#include <fcntl.h>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/wait.h>

extern char** environ;

int main(int argc, char** argv) {
    if (argc < 3) {
        std::fprintf(stderr, "usage: %s FILE PROGRAM [ARGUMENT...]\n", argv[0]);
        return 2;
    }
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
    const auto begun = std::chrono::steady_clock::now();
    pid_t child = 0;
    if (::posix_spawnp(&child, argv[2], &actions, nullptr, argv + 2, environ) != 0) {
        std::fprintf(stderr, "cannot start %s\n", argv[2]);
        return 127;
    }
    int status = 0;
    rusage used{};
    while (::wait4(child, &status, 0, &used) < 0 && errno == EINTR) {
    }
    const double wall = std::chrono::duration<double>(std::chrono::steady_clock::now() - begun).count();
    const auto seconds = [](const timeval& t) {
        return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6;
    };
    std::FILE* const out = std::fopen(argv[1], "w");
    if (out == nullptr) {
        std::fprintf(stderr, "cannot write %s\n", argv[1]);
        return 127;
    }
    std::fprintf(out, "%.6f %.6f %ld %ld\n", wall, seconds(used.ru_utime) + seconds(used.ru_stime), used.ru_maxrss,
                 used.ru_nvcsw);
    std::fclose(out);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 126;
}
