// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <memory>
#include <new>
#include <pthread.h>
#include <shared_mutex>

namespace waybill::detail {

/// Keeps `fork` waiting while a thread is inside a library that takes locks of its own. A child would inherit such a
/// lock held, without the thread that is to release it, and would wait for it for ever (POSIX, `fork`; SQLite takes one
/// at each allocation).
class fork_gate {
public:
    fork_gate() : held_(lock()) {}

private:
    static std::shared_mutex& lock() {
        // Never destroyed: a static uploader's thread may still be at work when the program ends.
        static std::shared_mutex* const only = [] {
            auto* const made = new std::shared_mutex;
            ::pthread_atfork([] { lock().lock(); }, [] { lock().unlock(); },
                             // Its owner was another thread, by the number that it had in the parent.
                             [] { std::construct_at(std::addressof(lock())); });
            return made;
        }();
        return *only;
    }

    std::shared_lock<std::shared_mutex> held_;
};

}  // namespace waybill::detail
