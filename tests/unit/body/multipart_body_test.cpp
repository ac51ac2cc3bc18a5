// SPDX-License-Identifier: BSL-1.0
#include <waybill/body/multipart_body.hpp>

#include "support/catch.hpp"
#include "support/temp_dir.hpp"

#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <vector>

namespace waybill::test {
namespace {

// What RFC 7578 says, written down once more without any cleverness.
struct naive_form {
    explicit naive_form(std::string b) : boundary(std::move(b)) {}

    static std::string quoted(const std::string& name) {
        std::string out;
        for (const char c : name) {
            const auto byte = static_cast<unsigned char>(c);
            char hex[4];
            if (byte < 32 || byte == 127 || c == '"') {
                std::snprintf(hex, sizeof hex, "%%%02X", byte);
                out += hex;
            } else {
                out += c;
            }
        }
        return out;
    }
    void separate() {
        text += first ? "--" + boundary + "\r\n" : "\r\n--" + boundary + "\r\n";
        first = false;
    }
    void field(const std::string& name, const std::string& value) {
        separate();
        text += "Content-Disposition: form-data; name=\"" + quoted(name) + "\"\r\n\r\n" + value;
    }
    void file(const std::string& name, const std::string& file_name, const std::string& type,
              const std::string& content) {
        separate();
        text += "Content-Disposition: form-data; name=\"" + quoted(name) + "\"; filename=\"" + quoted(file_name) +
                "\"\r\nContent-Type: " + type + "\r\n\r\n";
        places.push_back({text.size(), content.size()});
        text += content;
    }
    void finish() { text += (first ? "--" : "\r\n--") + boundary + "--\r\n"; }

    std::string boundary;
    std::string text;
    std::vector<std::pair<std::size_t, std::size_t>> places;
    bool first = true;
};

// How many sources are open, ever were, and at most at once.
struct openings {
    int open = 0;
    int total = 0;
    int most = 0;
};

class counted_source final : public body_source {
public:
    counted_source(std::string data, openings& count) : inner_(std::move(data)), count_(count) {
        ++count_.total;
        count_.most = std::max(count_.most, ++count_.open);
    }
    counted_source(const counted_source&) = delete;
    counted_source& operator=(const counted_source&) = delete;
    ~counted_source() override { --count_.open; }

    [[nodiscard]] std::uint64_t size() const noexcept override { return inner_.size(); }
    void read(std::uint64_t offset, std::span<char> out) override {
        if (offset > size() || out.size() > size() - offset) {
            throw std::out_of_range("read beyond the end of a part");
        }
        inner_.read(offset, out);
    }

private:
    bytes_source inner_;
    openings& count_;
};

multipart_body::opener opens(std::string data, openings& count) {
    return [data = std::move(data), &count] { return std::make_unique<counted_source>(data, count); };
}

std::string read_at(multipart_body& body, std::uint64_t offset, std::size_t length) {
    std::string out(length, '?');
    body.read(offset, out);
    return out;
}

std::string whole(multipart_body& body) {
    return read_at(body, 0, static_cast<std::size_t>(body.size()));
}

TEST_CASE("a form looks as RFC 7578 has it", "[transport][multipart]") {
    multipart_body body("BOUNDARY");
    openings count;
    body.add_field("caption", "Istanbul");
    body.add_item("photo", "a.jpg", "image/jpeg", 4, opens("\xFF\xD8\xFF\xE0", count));
    body.finish();
    CHECK(whole(body) ==
          "--BOUNDARY\r\n"
          "Content-Disposition: form-data; name=\"caption\"\r\n"
          "\r\n"
          "Istanbul\r\n"
          "--BOUNDARY\r\n"
          "Content-Disposition: form-data; name=\"photo\"; filename=\"a.jpg\"\r\n"
          "Content-Type: image/jpeg\r\n"
          "\r\n"
          "\xFF\xD8\xFF\xE0\r\n"
          "--BOUNDARY--\r\n");
    CHECK(body.content_type() == "multipart/form-data; boundary=BOUNDARY");
    REQUIRE(body.items().size() == 1);
    CHECK(read_at(body, body.items()[0].offset, 4) == "\xFF\xD8\xFF\xE0");
    CHECK(body.items()[0].size == 4);
}

TEST_CASE("an empty form is its last boundary", "[transport][multipart]") {
    multipart_body body("B");
    body.finish();
    CHECK(body.size() == 7);
    CHECK(whole(body) == "--B--\r\n");
    CHECK(body.items().empty());
}

TEST_CASE("any form, read in any pieces at any place, is the one built naively", "[transport][multipart]") {
    std::mt19937_64 random(31);
    const auto text = [&](std::size_t most) { return random_bytes(random() % (most + 1), random()); };
    const auto name = [&] {
        const char* const some[] = {"file", "a.jpg", "q\"uote", "new\r\nline", "ünï",
                                    "",     "tab\t", "%22",     "back\\slash"};
        return std::string(some[random() % std::size(some)]);
    };
    for (int round = 0; round < 300; ++round) {
        const std::string boundary = "waybill-" + std::to_string(random());
        multipart_body body(boundary);
        naive_form naive(boundary);
        openings count;
        int not_empty = 0;
        for (auto fields = random() % 4; fields > 0; --fields) {
            const std::string n = name();
            const std::string value = text(40);
            body.add_field(n, value);
            naive.field(n, value);
        }
        for (auto files = random() % 5; files > 0; --files) {
            const std::string field = name();
            const std::string file = name();
            const std::string data = random() % 3 == 0 ? "" : text(500);
            not_empty += data.empty() ? 0 : 1;
            body.add_item(field, file, "image/x", data.size(), opens(data, count));
            naive.file(field, file, "image/x", data);
        }
        body.finish();
        naive.finish();

        REQUIRE(body.size() == naive.text.size());
        REQUIRE(body.items().size() == naive.places.size());
        for (std::size_t i = 0; i < naive.places.size(); ++i) {
            REQUIRE(body.items()[i].offset == naive.places[i].first);
            REQUIRE(body.items()[i].size == naive.places[i].second);
        }
        REQUIRE(whole(body) == naive.text);
        REQUIRE(count.total == not_empty);  // each opened once, the empty ones never

        // From the beginning in pieces of any size.
        std::string pieces;
        while (pieces.size() < naive.text.size()) {
            pieces += read_at(body, pieces.size(),
                              std::min<std::size_t>(1 + random() % 97, naive.text.size() - pieces.size()));
        }
        REQUIRE(pieces == naive.text);

        // Anywhere, forwards and backwards.
        for (int i = 0; i < 100; ++i) {
            const std::size_t from = random() % (naive.text.size() + 1);
            const std::size_t length = random() % (naive.text.size() - from + 1);
            REQUIRE(read_at(body, from, length) == naive.text.substr(from, length));
        }
        REQUIRE(count.most <= 1);
    }
}

TEST_CASE("files are opened when their turn comes and closed behind them", "[transport][multipart]") {
    multipart_body body("B");
    openings first;
    openings second;
    openings empty;
    body.add_item("f", "1", "a/b", 10, opens("0123456789", first));
    body.add_item("f", "2", "a/b", 0, opens("", empty));
    body.add_item("f", "3", "a/b", 10, opens("abcdefghij", second));
    body.finish();
    const std::uint64_t at_first = body.items()[0].offset;
    const std::uint64_t at_second = body.items()[2].offset;

    static_cast<void>(read_at(body, 0, static_cast<std::size_t>(at_first)));
    CHECK(first.total == 0);
    static_cast<void>(read_at(body, at_first, 9));
    CHECK(first.open == 1);
    CHECK(second.total == 0);
    static_cast<void>(read_at(body, at_first + 9, 1));
    CHECK(first.open == 0);  // closed with its last byte, not with the next file
    static_cast<void>(read_at(body, at_second, 5));
    CHECK(second.open == 1);

    // Back to the first: never two at once.
    static_cast<void>(read_at(body, at_first, 5));
    CHECK(second.open == 0);
    CHECK(first.open == 1);
    CHECK(first.total == 2);
    CHECK(empty.total == 0);
}

TEST_CASE("a file that cannot be opened or read does not spoil the body", "[transport][multipart]") {
    multipart_body body("B");
    bool there = false;
    openings count;
    body.add_item("f", "1", "a/b", 3, [&]() -> std::unique_ptr<body_source> {
        if (!there) {
            throw error(errc::source_missing, "gone");
        }
        return std::make_unique<counted_source>("abc", count);
    });
    body.finish();
    std::string out(static_cast<std::size_t>(body.size()), '?');
    CHECK_THROWS_AS(body.read(0, out), error);
    there = true;
    CHECK(read_at(body, body.items()[0].offset, 3) == "abc");
}

// More bytes than any memory: each is computed from its place.
class endless_source final : public body_source {
public:
    explicit endless_source(std::uint64_t size) : size_(size) {}
    [[nodiscard]] std::uint64_t size() const noexcept override { return size_; }
    void read(std::uint64_t offset, std::span<char> out) override {
        for (char& c : out) {
            c = at(offset++);
        }
    }
    static char at(std::uint64_t offset) { return static_cast<char>((offset * 2654435761U) >> 24 ^ offset >> 33); }

private:
    std::uint64_t size_;
};

TEST_CASE("parts of more than 4 GiB stand where they should", "[transport][multipart]") {
    constexpr std::uint64_t huge = (5ULL << 30) + 3;
    constexpr std::uint64_t enormous = 1ULL << 60;
    multipart_body body("B");
    openings count;
    const auto endless = [](std::uint64_t size) { return [size] { return std::make_unique<endless_source>(size); }; };
    body.add_item("f", "1", "a/b", huge, endless(huge));
    body.add_item("f", "2", "a/b", 3, opens("xyz", count));
    body.add_item("f", "3", "a/b", enormous, endless(enormous));
    body.finish();

    naive_form frame("B");
    frame.file("f", "1", "a/b", "");
    frame.file("f", "2", "a/b", "xyz");
    frame.file("f", "3", "a/b", "");
    frame.finish();
    CHECK(body.size() == frame.text.size() + huge + enormous);
    CHECK(body.items()[0].offset == frame.places[0].first);
    CHECK(body.items()[1].offset == frame.places[1].first + huge);
    CHECK(body.items()[2].offset == frame.places[2].first + huge);

    std::mt19937_64 random(32);
    for (int i = 0; i < 200; ++i) {
        const std::uint64_t inside = random() % (huge - 100);
        const std::string got = read_at(body, body.items()[0].offset + inside, 100);
        for (std::size_t k = 0; k < got.size(); ++k) {
            REQUIRE(got[k] == endless_source::at(inside + k));
        }
    }
    // Across the end of the first, over the second, into the third.
    const std::uint64_t from = body.items()[0].offset + huge - 2;
    const std::string around = read_at(body, from, static_cast<std::size_t>(body.items()[2].offset - from) + 2);
    const std::size_t begin_of_frame = frame.places[0].first;
    CHECK(around.substr(2, around.size() - 4) ==
          frame.text.substr(begin_of_frame, frame.places[2].first - begin_of_frame));
    CHECK(around[0] == endless_source::at(huge - 2));
    CHECK(around.back() == endless_source::at(1));
    const std::string_view end = "\r\n--B--\r\n";
    CHECK(read_at(body, body.size() - end.size(), end.size()) == end);
}

TEST_CASE("a name cannot break out of its quotes or its line", "[transport][multipart]") {
    CHECK(escape_form_name("a.jpg") == "a.jpg");
    CHECK(escape_form_name("a\"; filename=\"b") == "a%22; filename=%22b");
    CHECK(escape_form_name("a\r\nX-Injected: 1") == "a%0D%0AX-Injected: 1");
    CHECK(escape_form_name("Überraschung 🎁.jpg") == "Überraschung 🎁.jpg");
    CHECK(escape_form_name(std::string("a\0b", 3)) == "a%00b");
    CHECK(escape_form_name("\x7F") == "%7F");
    CHECK(escape_form_name("%22") == "%22");  // as browsers do it: not reversible, but never a quote
    CHECK(escape_form_name("").empty());
    for (int c = 0; c < 256; ++c) {
        const std::string escaped = escape_form_name(std::string(1, static_cast<char>(c)));
        const bool harmless = c >= 0x20 && c != 0x7F && c != '"';
        CHECK((escaped.size() == 1) == harmless);
    }
}

TEST_CASE("a form may be moved while one of its files is open", "[transport][multipart]") {
    openings count;
    multipart_body first("B");
    first.add_item("f", "1", "a/b", 6, opens("abcdef", count));
    first.finish();
    const std::uint64_t at = first.items()[0].offset;
    CHECK(read_at(first, at, 3) == "abc");
    multipart_body second(std::move(first));
    CHECK(read_at(second, at + 3, 3) == "def");
    CHECK(count.open == 0);
    CHECK(count.total == 1);
}

TEST_CASE("bytes from memory are read from any place", "[transport][source]") {
    bytes_source source("0123456789");
    CHECK(source.size() == 10);
    std::string out(4, '?');
    source.read(3, out);
    CHECK(out == "3456");
    source.read(10, std::span<char>());
    bytes_source empty("");
    CHECK(empty.size() == 0);
    empty.read(0, std::span<char>());
}

}  // namespace
}  // namespace waybill::test
