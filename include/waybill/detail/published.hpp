// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <thread>
#include <utility>

namespace waybill::detail {

/// A shared pointer that one thread replaces and any thread reads without waiting.
///
/// A reader announces itself by adding to `state_`, which also returns the current slot; it copies the pointer and
/// checks out at that slot. The writer fills a slot that has no readers, makes it current, and records how many readers
/// had entered the old one. A render loop that reads sixty times a second therefore never blocks the uploader, nor the
/// other way.
template <class T>
class published {
public:
    published() = default;
    published(const published&) = delete;
    published& operator=(const published&) = delete;

    [[nodiscard]] std::shared_ptr<T> load() const noexcept {
        const std::uint64_t seen = state_.fetch_add(one_reader, std::memory_order_acquire);
        slot& current = slots_[seen % slot_count];
        std::shared_ptr<T> value = current.value;
        current.left.fetch_add(1, std::memory_order_release);
        return value;
    }

    /// One writer at a time.
    void store(std::shared_ptr<T> value) noexcept {
        const std::size_t next = free_slot();
        slots_[next].value = std::move(value);
        slots_[next].left.store(0, std::memory_order_relaxed);
        const std::uint64_t before = state_.exchange(next, std::memory_order_acq_rel);
        slots_[before % slot_count].entered = before / slot_count;
        release_drained(next);
    }

private:
    static constexpr std::size_t slot_count = 64;
    static constexpr std::uint64_t one_reader = slot_count;

    struct slot {
        std::shared_ptr<T> value;
        std::uint64_t entered = 0;  // the writer's own: readers that came in before it was replaced
        std::atomic<std::uint64_t> left = 0;
    };

    [[nodiscard]] bool drained(std::size_t i) const noexcept {
        return slots_[i].entered == slots_[i].left.load(std::memory_order_acquire);
    }

    [[nodiscard]] std::size_t free_slot() const noexcept {
        const std::size_t current = state_.load(std::memory_order_relaxed) % slot_count;
        for (std::size_t i = current;; std::this_thread::yield()) {
            // 63 readers would have to be interrupted in the middle of copying a pointer for
            // this loop to go round a second time.
            for (std::size_t tries = 1; tries < slot_count; ++tries) {
                i = (i + 1) % slot_count;
                if (i != current && drained(i)) {
                    return i;
                }
            }
        }
    }

    // Old snapshots are released as soon as no reader copies them, not when their slot is used again.
    void release_drained(std::size_t current) noexcept {
        for (std::size_t i = 0; i < slot_count; ++i) {
            if (i != current && slots_[i].value && drained(i)) {
                slots_[i].value.reset();
            }
        }
    }

    mutable std::array<slot, slot_count> slots_;
    mutable std::atomic<std::uint64_t> state_ = 0;
};

}  // namespace waybill::detail
