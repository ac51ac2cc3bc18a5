// SPDX-License-Identifier: BSL-1.0
#include <waybill/random.hpp>

#include "support/catch.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <set>
#include <string>
#include <vector>

namespace waybill::test {
namespace {

// Gives what it was told, then begins anew.
class scripted_random final : public random_source {
public:
    explicit scripted_random(std::vector<std::uint64_t> words) : words_(std::move(words)) {}
    std::uint64_t next() override { return words_[used_++ % words_.size()]; }
    [[nodiscard]] std::size_t used() const { return used_; }

private:
    std::vector<std::uint64_t> words_;
    std::size_t used_ = 0;
};

TEST_CASE("a random share is at least 0 and less than 1", "[random]") {
    CHECK(scripted_random({0}).unit() == 0.0);
    const double highest = scripted_random({std::numeric_limits<std::uint64_t>::max()}).unit();
    CHECK(highest < 1.0);
    CHECK(highest > 0.999999);
    CHECK(scripted_random({1ULL << 63}).unit() == 0.5);
}

TEST_CASE("random text has the length and the characters asked for", "[random]") {
    real_random device;
    for (std::size_t length = 0; length <= 70; ++length) {
        const std::string text = device.text(length);
        CHECK(text.size() == length);
        CHECK(text.find_first_not_of("0123456789abcdef") == std::string::npos);
    }
    CHECK(device.text(500, "abcdefghijkmnpqrstuvwxyz23456789").find_first_not_of("abcdefghijkmnpqrstuvwxyz23456789") ==
          std::string::npos);
}

TEST_CASE("every bit of the source is used once", "[random]") {
    scripted_random words({0xFEDCBA9876543210U, 0x0123456789ABCDEFU});
    CHECK(words.text(32) == "0123456789abcdeffedcba9876543210");
    CHECK(words.used() == 2);

    // 5 bits do not fill 64: what is left over is not used for the next text.
    scripted_random all_ones({std::numeric_limits<std::uint64_t>::max()});
    CHECK(all_ones.text(13, "abcdefghijkmnpqrstuvwxyz23456789") == std::string(13, '9'));
    CHECK(all_ones.used() == 2);
}

TEST_CASE("a batch gives what it has drawn, then what comes after", "[random]") {
    scripted_random words({1, 2, 3, 4, 5});
    random_batch batch(words, 3);
    CHECK(words.used() == 3);
    for (std::uint64_t expected = 1; expected <= 5; ++expected) {
        CHECK(batch.next() == expected);
    }
}

TEST_CASE("the system's random source fills whatever it is given", "[random]") {
    real_random device;
    for (const std::size_t count : {0U, 1U, 31U, 32U, 33U, 100U}) {
        std::vector<std::uint64_t> all(count);
        device.fill(all);
        CHECK(std::set<std::uint64_t>(all.begin(), all.end()).size() == count);
        CHECK(std::count(all.begin(), all.end(), 0U) == 0);
    }
}

TEST_CASE("the system's random source does not repeat itself", "[random]") {
    real_random device;
    std::set<std::string> keys;
    for (int i = 0; i < 1'000; ++i) {
        keys.insert(device.text(32));
    }
    CHECK(keys.size() == 1'000);
}

}  // namespace
}  // namespace waybill::test
