// SPDX-License-Identifier: BSL-1.0
//
// A program with an uploader of its own, in the ways that programs go wrong:
//
//   uploads STORE URL threads            says how many threads there were before, with and after the uploader
//   uploads STORE URL global | local     the uploader is a static object, and ends after main
//   uploads STORE URL fork WHAT          a forked child: _exit, exit, own, same, use, loop

#include <waybill/waybill.hpp>

#include "support/eventually.hpp"

#include <asio/io_context.hpp>

#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <iterator>
#include <memory>
#include <optional>
#include <string>

#include <sys/wait.h>
#include <unistd.h>

using namespace waybill;

namespace {

std::string store_path;
std::string server_url;

options how() {
    options made;
    made.store.path = store_path;
    return made;
}

job one(const std::string& name) {
    job j(server_url + name);
    j.bytes(name, "content of " + name);
    return j;
}

/// Throws when it does not come to its end.
bool deliver(background_uploader& up, const std::string& name) {
    const job_id id = up.enqueue(one(name));
    std::optional<status> end;
    test::eventually(name + " to end", [&] {
        const auto now = up.latest()->find(id);
        if (now && now->terminal()) {
            end = now->status;
        }
        return end.has_value();
    });
    return end == status::completed;
}

long threads() {
    return std::distance(std::filesystem::directory_iterator("/proc/self/task"), std::filesystem::directory_iterator());
}

/// Made before main, and destroyed after everything that main and its first job have made.
struct global {
    ~global() { up.reset(); }
    std::unique_ptr<background_uploader> up;
} the_global;

background_uploader& local() {
    static background_uploader up(how());
    return up;
}

int child(const std::string& what, background_uploader& up, uploader& idle, asio::io_context& context) {
    ::alarm(20);  // rather than to hang
    if (what == "_exit") {
        ::_exit(0);
    }
    if (what == "own") {
        store_path += ".child";
        background_uploader mine(how());
        return deliver(mine, "child") ? 0 : 1;
    }
    try {
        if (what == "same") {
            const background_uploader mine(how());
        } else if (what == "use") {
            up.enqueue(one("child"));
        } else if (what == "loop") {
            idle.async_list(std::nullopt, 10, [](std::error_code, const std::vector<job_snapshot>&) {});
            context.run();
        }
    } catch (const error& e) {
        std::cout << "child: " << e.code().value() << " " << e.what() << std::endl;
    }
    return 0;
}

int forking(const std::string& what) {
    int status = 0;
    {
        asio::io_context context(1);
        options other = how();
        other.store.path += ".idle";
        std::optional<uploader> idle(std::in_place, context.get_executor(), other);
        idle->async_list(std::nullopt, 0, [](std::error_code, const std::vector<job_snapshot>&) {});
        context.run();
        context.restart();
        background_uploader up(how());
        if (!deliver(up, "before")) {
            return 2;
        }
        const pid_t pid = ::fork();
        if (pid == 0) {
            return child(what, up, *idle, context);  // everything here is destroyed in the child, too
        }
        ::waitpid(pid, &status, 0);
        if (!deliver(up, "after")) {
            return 3;
        }
        idle.reset();
        context.run();
    }
    std::cout << "parent: done" << std::endl;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 100 + WTERMSIG(status);
}

}  // namespace

int main(int argc, char** argv) {
    if (argc < 4) {
        return 64;
    }
    store_path = argv[1];
    server_url = argv[2];
    const std::string mode = argv[3];
    if (mode == "threads") {
        std::cout << threads();
        {
            background_uploader up(how());
            deliver(up, "one");
            std::cout << " " << threads();
        }
        std::cout << " " << threads() << std::endl;
        return 0;
    }
    if (mode == "fork" && argc > 4) {
        return forking(argv[4]);
    }
    if (mode == "global") {
        the_global.up = std::make_unique<background_uploader>(how());
    }
    background_uploader& up = mode == "global" ? *the_global.up : local();
    // One that is under way, and one that waits, when main ends.
    const bool done = deliver(up, "first");
    up.enqueue(one("second"));
    up.enqueue(one("third"));
    std::cout << (done ? "done" : "not done") << std::endl;
    return done ? 0 : 1;
}
