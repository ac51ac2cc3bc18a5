// SPDX-License-Identifier: BSL-1.0
#include <waybill/detail/fork_gate.hpp>

#include "support/catch.hpp"

#include <atomic>
#include <chrono>
#include <csignal>
#include <thread>

#include <sys/wait.h>
#include <unistd.h>

namespace waybill::test {

TEST_CASE("a process is forked only while no thread is inside a library with locks of its own") {
    std::atomic<bool> inside = false;
    std::atomic<bool> forking = false;
    std::thread worker([&] {
        const detail::fork_gate closed;
        inside = true;
        inside.notify_one();
        forking.wait(false);
        std::this_thread::sleep_for(std::chrono::milliseconds(50));  // time for a fork that does not wait
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
    worker.join();
    int how = -1;
    ::waitpid(child, &how, 0);
    CHECK(WIFSIGNALED(how));
    CHECK(WTERMSIG(how) == SIGKILL);
    const detail::fork_gate can_be_closed_here;
}

}  // namespace waybill::test
