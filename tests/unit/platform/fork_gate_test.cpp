// SPDX-License-Identifier: BSL-1.0
#include <waybill/platform/fork_gate.hpp>

#include "support/catch.hpp"

#include <atomic>
#include <csignal>
#include <fstream>
#include <string>
#include <thread>

#include <sys/wait.h>
#include <unistd.h>

namespace waybill::test {
namespace {

/// It waits for something that is not there yet (proc(5), `stat`: the state follows the name in parentheses).
bool sleeps(pid_t thread) {
    std::ifstream file("/proc/self/task/" + std::to_string(thread) + "/stat");
    std::string line;
    std::getline(file, line);
    const auto name_end = line.rfind(')');
    return name_end != std::string::npos && line.compare(name_end, 3, ") S") == 0;
}

}  // namespace

TEST_CASE("a process is forked only while no thread is inside a library with locks of its own") {
    std::atomic<bool> inside = false;
    std::atomic<bool> forking = false;
    std::atomic<bool> forked = false;
    const pid_t forks = ::gettid();
    std::thread worker([&] {
        const detail::fork_gate closed;
        inside = true;
        inside.notify_one();
        forking.wait(false);
        while (!forked && !sleeps(forks)) {  // a fork that waits, or one that does not
            std::this_thread::yield();
        }
        inside = false;
    });
    inside.wait(false);
    forking = true;
    forking.notify_one();
    const pid_t child = ::fork();
    if (child == 0) {
        const detail::fork_gate can_be_closed_there;
        ::raise(inside ? SIGUSR1 : SIGKILL);  // nothing else of this process may run there
    }
    forked = true;
    worker.join();
    int how = -1;
    ::waitpid(child, &how, 0);
    CHECK(WIFSIGNALED(how));
    CHECK(WTERMSIG(how) == SIGKILL);
    const detail::fork_gate can_be_closed_here;
}

}  // namespace waybill::test
