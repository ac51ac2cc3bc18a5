// SPDX-License-Identifier: BSL-1.0
#include <waybill/body/hashing_source.hpp>

#include "support/catch.hpp"
#include "support/run.hpp"
#include "support/temp_dir.hpp"

#include <asio/io_context.hpp>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>

// The digest of a whole item, computed while it is sent, over breaks and restarts.
namespace waybill::test {
namespace {

using detail::hashing_source;

constexpr std::uint64_t interval = hashing_source::interval;
constexpr std::size_t piece = 1 << 20;

/// Bytes of memory that count how many of them were read.
class counted_source final : public body_source {
public:
    counted_source(const std::string& content, std::uint64_t& read) : content_(content), read_(read) {}
    [[nodiscard]] std::uint64_t size() const noexcept override { return content_.size(); }
    void read(std::uint64_t offset, std::span<char> out) override {
        std::copy_n(content_.begin() + static_cast<std::ptrdiff_t>(offset), out.size(), out.begin());
        read_ += out.size();
    }

private:
    const std::string& content_;
    std::uint64_t& read_;
};

struct scene {
    std::string content = random_bytes(3 * interval + 12'345);
    std::uint64_t bytes_read = 0;
    asio::io_context context;

    std::unique_ptr<hashing_source> open(const std::string& algorithm, const std::string& saved = {}) {
        return std::make_unique<hashing_source>(std::make_unique<counted_source>(content, bytes_read), algorithm, saved,
                                                piece);
    }
    /// Sends the bytes from `begin` to `end`, as a request does.
    void send(hashing_source& what, std::uint64_t begin, std::uint64_t end) {
        run<void>(context, [&] { return what.continue_at(begin); });
        std::string out(piece, '\0');
        for (std::uint64_t at = begin; at < end; at += out.size()) {
            out.resize(static_cast<std::size_t>(std::min<std::uint64_t>(piece, end - at)));
            what.read(at, out);
        }
    }
};

std::string any_algorithm() {
    return GENERATE(as<std::string>(), "sha-256", "crc32c");
}

}  // namespace

TEST_CASE("the digest of an item that was sent needs no second read", "[protocol][digest]") {
    scene s;
    const std::string algorithm = any_algorithm();
    const auto source = s.open(algorithm);
    s.send(*source, 0, s.content.size());
    REQUIRE(source->complete());
    CHECK(source->value() == detail::digest_of(algorithm, s.content));
    CHECK(s.bytes_read == s.content.size());
}

TEST_CASE("after a restart the digest goes on at its last mark, not at the first byte", "[protocol][digest]") {
    scene s;
    const std::string algorithm = any_algorithm();
    const std::uint64_t reached = 2 * interval + 777;
    std::string saved;
    {
        const auto before = s.open(algorithm);
        s.send(*before, 0, reached);
        saved = before->digest_points();
    }
    s.bytes_read = 0;
    const auto after = s.open(algorithm, saved);
    s.send(*after, reached, s.content.size());
    REQUIRE(after->complete());
    CHECK(after->value() == detail::digest_of(algorithm, s.content));
    CHECK(s.bytes_read == s.content.size() - 2 * interval);  // 777 bytes twice, no more
}

TEST_CASE("a server that has less than was sent costs the digest at most one interval", "[protocol][digest]") {
    scene s;
    const std::string algorithm = any_algorithm();
    const auto source = s.open(algorithm);
    s.send(*source, 0, 3 * interval);
    s.bytes_read = 0;
    s.send(*source, 2 * interval - 5, s.content.size());
    CHECK(source->complete());
    CHECK(source->value() == detail::digest_of(algorithm, s.content));
    CHECK(s.bytes_read <= s.content.size() - (2 * interval - 5) + interval);
}

TEST_CASE("marks that are garbage, or of another algorithm or file, cost time and never the digest",
          "[protocol][digest]") {
    scene s;
    const auto other = s.open("crc32c");
    s.send(*other, 0, s.content.size());
    const auto same = s.open("sha-256");
    s.send(*same, 0, s.content.size());
    const std::string cut = same->digest_points().substr(0, same->digest_points().size() / 2);
    for (const std::string& saved :
         {std::string("garbage"), std::string(10'000, '\xFF'), cut, other->digest_points()}) {
        const auto source = s.open("sha-256", saved);
        s.send(*source, 0, s.content.size());
        REQUIRE(source->complete());
        CHECK(source->value() == detail::digest_of("sha-256", s.content));
    }
}

}  // namespace waybill::test
