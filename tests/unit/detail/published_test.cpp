// SPDX-License-Identifier: BSL-1.0
#include <waybill/detail/published.hpp>

#include "support/catch.hpp"

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <thread>
#include <vector>

namespace waybill::test {
namespace {

using detail::published;

// Counts those that live, and would show a torn or freed one.
struct value {
    static inline std::atomic<int> alive = 0;

    explicit value(std::uint64_t n) : number(n) {
        copies.fill(n);
        ++alive;
    }
    value(const value&) = delete;
    value& operator=(const value&) = delete;
    ~value() {
        copies.fill(~number);
        --alive;
    }
    [[nodiscard]] bool whole() const {
        for (const std::uint64_t c : copies) {
            if (c != number) {
                return false;
            }
        }
        return true;
    }

    std::uint64_t number;
    std::array<std::uint64_t, 16> copies{};
};

TEST_CASE("nothing is published at first", "[detail][published]") {
    const published<const value> slot;
    CHECK(slot.load() == nullptr);
}

TEST_CASE("a reader gets what was published last", "[detail][published]") {
    published<const value> slot;
    for (std::uint64_t n = 1; n < 1'000; ++n) {
        slot.store(std::make_shared<const value>(n));
        CHECK(slot.load()->number == n);
        CHECK(slot.load()->number == n);
    }
}

TEST_CASE("a value that is replaced is let go at once", "[detail][published]") {
    published<const value> slot;
    std::weak_ptr<const value> before;
    for (std::uint64_t n = 0; n < 300; ++n) {
        auto next = std::make_shared<const value>(n);
        const std::weak_ptr<const value> current = next;
        slot.store(std::move(next));
        if (n % 3 == 0) {
            static_cast<void>(slot.load());  // readers come and go
        }
        CHECK(before.expired());
        CHECK_FALSE(current.expired());
        before = current;
    }
}

TEST_CASE("a reader keeps the value it has", "[detail][published]") {
    published<const value> slot;
    slot.store(std::make_shared<const value>(1));
    const auto kept = slot.load();
    for (std::uint64_t n = 2; n < 200; ++n) {
        slot.store(std::make_shared<const value>(n));
    }
    CHECK(kept->number == 1);
    CHECK(kept->whole());
    CHECK(kept.use_count() == 1);
}

TEST_CASE("many readers and a writer never see a torn, freed or older value", "[detail][published]") {
    constexpr std::uint64_t values = 60'000;
    constexpr int readers = 3;
    {
        published<const value> slot;
        slot.store(std::make_shared<const value>(0));
        std::atomic<bool> torn = false;
        std::atomic<bool> backwards = false;
        std::atomic<int> begun = 0;
        std::vector<std::thread> threads;
        for (int r = 0; r < readers; ++r) {
            threads.emplace_back([&] {
                std::uint64_t last = 0;
                ++begun;
                do {
                    const auto seen = slot.load();
                    torn = torn || !seen->whole();
                    backwards = backwards || seen->number < last;
                    last = seen->number;
                } while (last != values);
            });
        }
        while (begun != readers) {
            std::this_thread::yield();
        }
        int most_alive = 0;
        for (std::uint64_t n = 1; n <= values; ++n) {
            slot.store(std::make_shared<const value>(n));
            most_alive = std::max<int>(most_alive, value::alive);
        }
        for (std::thread& t : threads) {
            t.join();
        }
        CHECK_FALSE(torn);
        CHECK_FALSE(backwards);
        // The current one, one for each slot whose reader was interrupted in the middle, and one in
        // the hand of each reader: it does not grow with the number of values.
        CHECK(most_alive <= 64 + readers + 1);
        slot.store(std::make_shared<const value>(values + 1));
        CHECK(value::alive == 1);
    }
    CHECK(value::alive == 0);
}

}  // namespace
}  // namespace waybill::test
