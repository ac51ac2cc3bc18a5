// SPDX-License-Identifier: BSL-1.0
#include <waybill/detail/codec.hpp>

#include "support/catch.hpp"

#include <cstdint>
#include <limits>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace waybill::test {
namespace {

using detail::checksummer;
using detail::decoder;
using detail::encoder;
using detail::string_pairs;

constexpr std::uint64_t most = std::numeric_limits<std::uint64_t>::max();

std::string random_text(std::mt19937_64& random, std::size_t up_to) {
    std::string out(random() % (up_to + 1), '\0');
    for (char& c : out) {
        c = static_cast<char>(random());
    }
    return out;
}

string_pairs random_pairs(std::mt19937_64& random, std::size_t up_to) {
    string_pairs out(random() % (up_to + 1));
    for (auto& [name, value] : out) {
        name = random_text(random, 20);
        value = random_text(random, 200);
    }
    return out;
}

std::size_t bytes_in(const string_pairs& list) {
    std::size_t sum = 0;
    for (const auto& [name, value] : list) {
        sum += name.size() + value.size();
    }
    return sum;
}

TEST_CASE("numbers come back as they were, in as few bytes as they need", "[detail][codec]") {
    std::vector<std::uint64_t> numbers = {0, 1, 127, 128, 16'383, 16'384, most, most - 1, 1ULL << 63};
    for (int bit = 0; bit < 64; ++bit) {
        numbers.push_back((1ULL << bit) - 1);
        numbers.push_back(1ULL << bit);
    }
    for (const std::uint64_t n : numbers) {
        encoder e;
        e.number(n);
        std::size_t needed = 1;
        for (std::uint64_t rest = n >> 7; rest != 0; rest >>= 7) {
            ++needed;
        }
        CHECK(e.view().size() == needed);
        decoder d(e.view());
        CHECK(d.number() == n);
        CHECK(d.finished());
    }
}

TEST_CASE("a number of more than 64 bits is refused", "[detail][codec]") {
    const std::string nine(9, '\xFF');
    const std::string fits = nine + '\x01';
    decoder at_most(fits);
    CHECK(at_most.number() == most);
    CHECK(at_most.finished());

    const std::string too_large = nine + '\x02';
    decoder over(too_large);
    CHECK(over.number() == 0);
    CHECK_FALSE(over.ok());

    const std::string endless(11, '\x80');
    decoder never(endless);
    CHECK(never.number() == 0);
    CHECK_FALSE(never.ok());
}

TEST_CASE("a number above its limit is refused", "[detail][codec]") {
    encoder e;
    e.number(999).number(1000);
    decoder d(e.view());
    CHECK(d.number(999) == 999);
    CHECK(d.ok());
    CHECK(d.number(999) == 0);
    CHECK_FALSE(d.ok());
}

TEST_CASE("whatever is encoded comes back the same", "[detail][codec]") {
    std::mt19937_64 random(11);
    for (int round = 0; round < 2'000; ++round) {
        const std::uint64_t number = random() >> (random() % 64);
        const std::string text = random_text(random, 300);
        const string_pairs pairs = random_pairs(random, 8);
        encoder e;
        e.number(number).text(text).pairs(pairs).text("");
        decoder d(e.view());
        REQUIRE(d.number() == number);
        REQUIRE(d.text() == text);
        REQUIRE(d.pairs() == pairs);
        REQUIRE(d.text().empty());
        REQUIRE(d.finished());
        const std::string taken = std::move(e).take();
        REQUIRE(decoder(taken).number() == number);
    }
}

TEST_CASE("an encoding with bytes left over is not finished", "[detail][codec]") {
    encoder e;
    e.text("one").text("two");
    decoder d(e.view());
    CHECK(d.text() == "one");
    CHECK(d.ok());
    CHECK_FALSE(d.finished());
}

TEST_CASE("a checksum of values is that of their encoding, whatever fits into its buffer", "[detail][codec]") {
    std::mt19937_64 random(13);
    for (const std::size_t longest : {4U, 40U, 255U, 256U, 257U, 3'000U}) {
        for (int round = 0; round < 40; ++round) {
            encoder e;
            checksummer c;
            CHECK(c.value() == 0);
            for (int values = 0; values < 12; ++values) {
                const std::uint64_t n = random() >> (random() % 64);
                const std::string text = random_text(random, longest);
                e.number(n).text(text);
                c.number(n).text(text);
            }
            CHECK(c.value() == detail::crc32c(0, e.view()));
        }
    }
}

TEST_CASE("every truncation is noticed", "[detail][codec]") {
    std::mt19937_64 random(12);
    for (int round = 0; round < 50; ++round) {
        string_pairs pairs = random_pairs(random, 5);
        pairs.emplace_back("last", "value");
        encoder e;
        e.number(random()).text(random_text(random, 40)).pairs(pairs);
        const std::string whole = e.view();
        for (std::size_t length = 0; length < whole.size(); ++length) {
            decoder d(std::string_view(whole).substr(0, length));
            static_cast<void>(d.number());
            static_cast<void>(d.text());
            REQUIRE(d.pairs().empty());
            REQUIRE_FALSE(d.ok());
            REQUIRE_FALSE(d.finished());
        }
    }
}

TEST_CASE("after a failure nothing more is read", "[detail][codec]") {
    encoder e;
    e.number(100).text("left");  // a text of 100 bytes that are not there
    decoder d(e.view());
    CHECK(d.text().empty());
    CHECK_FALSE(d.ok());
    CHECK(d.text().empty());
    CHECK(d.number() == 0);
    CHECK(d.pairs().empty());
    CHECK_FALSE(d.finished());
}

TEST_CASE("random bytes are refused, or give no more than they hold", "[detail][codec]") {
    std::mt19937_64 random(13);
    for (int round = 0; round < 50'000; ++round) {
        const std::string garbage = random_text(random, 64);
        decoder pairs(garbage);
        const string_pairs list = pairs.pairs();
        REQUIRE(bytes_in(list) <= garbage.size());
        REQUIRE(list.size() * 2 <= garbage.size());
        if (!pairs.ok()) {
            REQUIRE(list.empty());
        }
        decoder texts(garbage);
        std::size_t taken = 0;
        for (int i = 0; i < 100; ++i) {
            taken += texts.text().size();
        }
        REQUIRE(taken <= garbage.size());
        REQUIRE_FALSE(texts.ok());
    }
}

TEST_CASE("a flipped bit in an encoding never does harm", "[detail][codec]") {
    std::mt19937_64 random(14);
    encoder e;
    e.pairs({{"Content-Language", "tr"}, {"X-Album", "Istanbul"}, {"", std::string(200, 'x')}});
    const std::string whole = e.view();
    for (std::size_t bit = 0; bit < whole.size() * 8; ++bit) {
        std::string flipped = whole;
        flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ (1 << (bit % 8)));
        decoder d(flipped);
        REQUIRE(bytes_in(d.pairs()) <= flipped.size());
    }
}

}  // namespace
}  // namespace waybill::test
