// SPDX-License-Identifier: BSL-1.0
#include <waybill/source/recognition.hpp>

#include "support/catch.hpp"
#include "support/temp_dir.hpp"

#include <cstdint>
#include <functional>
#include <limits>
#include <span>
#include <string>
#include <vector>

namespace waybill::test {
namespace {

using detail::compare;
using detail::likeness;

constexpr std::int64_t second = 1'000'000'000;
constexpr file_identity accepted{1, 2, 1000, 1'700'000'001 * second + 123'456'789, 1'700'000'009 * second + 1};

file_identity with(const std::function<void(file_identity&)>& change) {
    file_identity found = accepted;
    change(found);
    return found;
}

TEST_CASE("what belongs to a mount or an inode leaves a file alike, what belongs to its content does not",
          "[source][identity]") {
    STATIC_REQUIRE(compare(accepted, accepted, false) == likeness::same);
    CHECK(compare(accepted, with([](file_identity& f) { f.device = 9; }), false) == likeness::alike);
    CHECK(compare(accepted, with([](file_identity& f) { f.inode = 9; }), false) == likeness::alike);
    CHECK(compare(accepted, with([](file_identity& f) { f.ctime_ns += 1; }), false) == likeness::alike);
    CHECK(compare(accepted, with([](file_identity& f) { f.size += 1; }), false) == likeness::other);
    CHECK(compare(accepted, with([](file_identity& f) { f.size -= 1; }), false) == likeness::other);
    CHECK(compare(accepted, with([](file_identity& f) { f.mtime_ns += 1; }), false) == likeness::other);
    CHECK(compare(accepted, with([](file_identity& f) { f.mtime_ns -= second; }), false) == likeness::other);
    CHECK(compare(accepted, with([](file_identity& f) { f.mtime_ns += 3600 * second; }), false) == likeness::other);
}

TEST_CASE("a time that a coarser clock cut off is the same time, in both directions", "[source][identity]") {
    for (const std::int64_t step : {100L, 1'000L, 10'000'000L, second, 2 * second}) {
        CAPTURE(step);
        const file_identity cut = with([&](file_identity& f) { f.mtime_ns -= f.mtime_ns % step; });
        REQUIRE(cut.mtime_ns != accepted.mtime_ns);
        CHECK(compare(accepted, cut, false) == likeness::alike);
        CHECK(compare(cut, accepted, false) == likeness::alike);
        CHECK(compare(accepted, with([&](file_identity& f) { f.mtime_ns += 2 * step - f.mtime_ns % step; }), false) ==
              likeness::other);
    }
    const std::int64_t even = 1'700'000'000 * second;
    STATIC_REQUIRE(detail::is_same_time(even, even + 2 * second - 1));
    STATIC_REQUIRE_FALSE(detail::is_same_time(even, even + 2 * second));
    STATIC_REQUIRE_FALSE(detail::is_same_time(even + second, even + 2 * second));
    STATIC_REQUIRE_FALSE(detail::is_same_time(-second, second));
    STATIC_REQUIRE_FALSE(detail::is_same_time(std::numeric_limits<std::int64_t>::min(), even));
}

TEST_CASE("a log may grow and nothing else", "[source][identity]") {
    const auto log = [](const std::function<void(file_identity&)>& change) {
        return compare(accepted, with(change), true);
    };
    CHECK(log([](file_identity& f) { f.size += 1; }) == likeness::alike);
    CHECK(log([](file_identity& f) { f.mtime_ns += 9; }) == likeness::alike);
    CHECK(log([](file_identity& f) { f.inode += 9; }) == likeness::alike);
    CHECK(log([](file_identity& f) { f.size -= 1; }) == likeness::other);
}

TEST_CASE("only a ctime or a coarser time can hide an edit", "[source][identity]") {
    CHECK_FALSE(detail::may_hide_edit(accepted, with([](file_identity& f) { f.device = f.inode = 9; })));
    CHECK(detail::may_hide_edit(accepted, with([](file_identity& f) { f.ctime_ns += 1; })));
    CHECK(detail::may_hide_edit(accepted, with([](file_identity& f) { f.mtime_ns -= 123'456'789; })));
}

TEST_CASE("a sample is of the first bytes, the last, and some between", "[source][fingerprint]") {
    const auto size = GENERATE(std::uint64_t{32'769}, std::uint64_t{100'000}, std::uint64_t{4} << 30,
                               std::numeric_limits<std::uint64_t>::max() / 2);
    CAPTURE(size);
    const std::vector<detail::extent> all = detail::extents_of(fingerprint_scope::sampled, size);
    REQUIRE(all.size() == 8);
    CHECK(all.front() == detail::extent{0, 4096});
    CHECK(all.back() == detail::extent{size - 4096, 4096});
    for (std::size_t i = 1; i < all.size(); ++i) {
        CHECK(all[i].offset > all[i - 1].offset);
        CHECK((all[i].offset % 4096 == 0 || i == 7));
    }
}

TEST_CASE("few bytes are all looked at", "[source][fingerprint]") {
    using detail::extents_of;
    CHECK(extents_of(fingerprint_scope::sampled, 0).empty());
    CHECK(extents_of(fingerprint_scope::sampled, 32'768) == std::vector<detail::extent>{{0, 32'768}});
    CHECK(extents_of(fingerprint_scope::whole, 1 << 30) == std::vector<detail::extent>{{0, 1 << 30}});
    CHECK(extents_of(fingerprint_scope::none, 1 << 30).empty());
}

file_fingerprint of(const std::string& content, fingerprint_scope scope, std::uint64_t offset, std::uint64_t length) {
    const auto read = [&](std::uint64_t at, std::span<char> out) {
        REQUIRE(at + out.size() <= content.size());
        content.copy(out.data(), out.size(), static_cast<std::size_t>(at));
    };
    return detail::fingerprint_of(scope, offset, length, read);
}

TEST_CASE("a fingerprint is of an item's bytes, wherever they lie", "[source][fingerprint]") {
    const std::string content = random_bytes(700'000);
    const file_fingerprint whole = of(content, fingerprint_scope::whole, 0, content.size());
    CHECK(whole.sum.size() == file_fingerprint::sum_length);
    CHECK(of("before" + content + "after", fingerprint_scope::whole, 6, content.size()) == whole);
    std::string edited = content;
    edited[300'000] ^= 1;
    CHECK(of(edited, fingerprint_scope::whole, 0, edited.size()) != whole);
    CHECK(of(edited, fingerprint_scope::sampled, 0, edited.size()) ==
          of(content, fingerprint_scope::sampled, 0, content.size()));
    CHECK(of(content, fingerprint_scope::sampled, 0, 100) == of(content, fingerprint_scope::whole, 0, 100));
    CHECK(of(content, fingerprint_scope::none, 0, 100) == file_fingerprint());
}

TEST_CASE("a fingerprint is stored as it is, and nothing else is read as one", "[source][fingerprint]") {
    for (const auto scope : {fingerprint_scope::none, fingerprint_scope::sampled, fingerprint_scope::whole}) {
        const file_fingerprint made = of(random_bytes(100'000), scope, 0, 100'000);
        file_fingerprint again;
        CHECK(again.decode(made.encode()));
        CHECK(again == made);
    }
    file_fingerprint any;
    CHECK_FALSE(any.decode(std::string(1, '\1')));
    CHECK_FALSE(any.decode(std::string(17, '\0')));
    CHECK_FALSE(any.decode('\3' + std::string(16, 'x')));
    CHECK_FALSE(any.decode('\1' + std::string(17, 'x')));
    CHECK(any == file_fingerprint());
}

TEST_CASE("a file that is pinned again is unchanged when its bytes are known to be the same", "[source][identity]") {
    item_spec before;
    before.size = accepted.size;
    before.identity = accepted;
    before.content = {fingerprint_scope::whole, "sum"};
    item_spec after = before;
    CHECK(detail::is_unchanged(before, after));
    after.identity.ctime_ns += 1;
    CHECK(detail::is_unchanged(before, after));
    after.content.sum = "another";
    CHECK_FALSE(detail::is_unchanged(before, after));
    before.content.scope = after.content.scope = fingerprint_scope::sampled;
    after.content.sum = "sum";
    CHECK_FALSE(detail::is_unchanged(before, after));  // an edit may be hidden between the samples
    after.identity = accepted;
    after.identity.device += 1;
    CHECK(detail::is_unchanged(before, after));
    before.content = after.content = {};
    CHECK_FALSE(detail::is_unchanged(before, after));
    after.size += 1;
    CHECK_FALSE(detail::is_unchanged(before, after));
}

}  // namespace
}  // namespace waybill::test
