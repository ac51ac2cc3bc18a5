// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <pthread.h>
#include <shared_mutex>

namespace waybill::detail {

/// Keeps `fork` waiting while a thread is inside a library that takes internal locks. A child would inherit such a lock
/// held, without the thread that is to release it, and would wait for it forever (POSIX, `fork`; SQLite takes one at
/// each allocation).
class fork_gate {
public:
    fork_gate() : held_(*lock()) {}

private:
    static std::shared_mutex*& lock() {
        // Never destroyed: a static uploader's thread may still be at work when the program ends.
        static std::shared_mutex* only = [] {
            ::pthread_atfork(
                [] { lock()->lock(); }, [] { lock()->unlock(); },
                // Another one: this one's owner was another thread, by the number that it had in the parent.
                [] { lock() = new std::shared_mutex; });
            return new std::shared_mutex;
        }();
        return only;
    }

    std::shared_lock<std::shared_mutex> held_;
};

}  // namespace waybill::detail
