// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/detail/digest.hpp>
#include <waybill/error.hpp>
#include <waybill/model/record.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

// Whether a file is still the one that was accepted. Pure.
//
// A file system's metadata is of two kinds. A file's size and the time of its last modification belong to the content.
// The numbers of its device and inode belong to a mount: they change with the order of disks, and with each mount of an
// overlay, btrfs, sshfs or FAT. The time of its last change (ctime) belongs to the inode: a change of permission, hard
// link, attribute or name sets it, and so does restoring a modification time after an edit.
namespace waybill::detail {

/// The result of comparing identities only.
enum class likeness : std::uint8_t {
    same,   ///< nothing about it has changed
    alike,  ///< the changes say nothing about its content: its bytes decide
    other,  ///< it was written to, or is another file
};

/// Both are the same time, one of them by a coarser clock: times are truncated by NTFS (100 ns), NFS and SMB (1 µs),
/// exFAT (10 ms), sshfs and old file systems (1 s) and FAT (2 s), at the latest with the next mount.
[[nodiscard]] constexpr bool is_coarser(std::int64_t coarse, std::int64_t fine) noexcept {
    constexpr std::array<std::int64_t, 5> steps = {100, 1'000, 10'000'000, 1'000'000'000, 2'000'000'000};
    return std::any_of(steps.begin(), steps.end(),
                       [&](std::int64_t step) { return coarse % step == 0 && fine >= coarse && fine - coarse < step; });
}

[[nodiscard]] constexpr bool is_same_time(std::int64_t a, std::int64_t b) noexcept {
    return a == b || is_coarser(a, b) || is_coarser(b, a);
}

[[nodiscard]] constexpr likeness compare(const file_identity& accepted, const file_identity& found,
                                         bool append_only) noexcept {
    if (found == accepted) {
        return likeness::same;
    }
    if (append_only) {
        return found.size >= accepted.size ? likeness::alike : likeness::other;
    }
    const bool alike = found.size == accepted.size && is_same_time(found.mtime_ns, accepted.mtime_ns);
    return alike ? likeness::alike : likeness::other;
}

/// Between two identical checks the file can have been edited, and its modification time restored.
[[nodiscard]] constexpr bool may_hide_edit(const file_identity& accepted, const file_identity& found) noexcept {
    return found.ctime_ns != accepted.ctime_ns || found.mtime_ns != accepted.mtime_ns;
}

/// Some of a file's bytes.
struct extent {
    std::uint64_t offset = 0;
    std::uint64_t length = 0;

    bool operator==(const extent&) const = default;
};

/// What a sampled fingerprint reads: this many pieces of this many bytes.
struct sampling {
    std::uint64_t length = 4096;
    std::uint64_t pieces = 8;

    /// Of so few bytes it reads all.
    [[nodiscard]] constexpr bool is_whole(std::uint64_t size) const noexcept { return size <= length * pieces; }
};

/// Which of `size` bytes a fingerprint covers: the first and the last are always among them.
[[nodiscard]] inline std::vector<extent> extents_of(fingerprint_scope scope, std::uint64_t size,
                                                    const sampling& how = {}) {
    if (scope == fingerprint_scope::none || size == 0) {
        return {};
    }
    if (scope == fingerprint_scope::whole || how.is_whole(size)) {
        return {{0, size}};
    }
    std::vector<extent> all;
    const std::uint64_t last = size - how.length;
    for (std::uint64_t i = 0; i + 1 < how.pieces; ++i) {
        const std::uint64_t at = last / (how.pieces - 1) * i;  // a product of all could overflow
        all.push_back({at / how.length * how.length, how.length});
    }
    all.push_back({last, how.length});
    return all;
}

/// The sum of bytes that are read a piece at a time.
class fingerprinter {
public:
    /// @param size of the item, which lies at `offset` in its file.
    fingerprinter(fingerprint_scope scope, std::uint64_t offset, std::uint64_t size, const sampling& how = {})
        : scope_(scope == fingerprint_scope::sampled && how.is_whole(size) ? fingerprint_scope::whole : scope),
          offset_(offset), left_(extents_of(scope, size, how)), sum_(digest::make("sha-256")) {
        std::reverse(left_.begin(), left_.end());
    }

    /// Continues reading with `read(at, out)`, which fills `out` from there or throws, until `most` more bytes were
    /// read. False when everything has been read.
    template <class Read>
    bool read_some(std::uint64_t most, const Read& read) {
        while (!left_.empty() && most > 0) {
            extent& next = left_.back();
            const std::uint64_t length = std::min({next.length, most, static_cast<std::uint64_t>(buffer_length)});
            piece_.resize(static_cast<std::size_t>(length));
            read(offset_ + next.offset, std::span<char>(piece_));
            sum_->update(piece_);
            next.offset += length;
            next.length -= length;
            most -= length;
            if (next.length == 0) {
                left_.pop_back();
            }
        }
        return !left_.empty();
    }

    /// One that a sample covers completely is whole.
    [[nodiscard]] file_fingerprint value() const {
        return {scope_, scope_ == fingerprint_scope::none ? std::string()
                                                          : sum_->value().substr(0, file_fingerprint::sum_length)};
    }

private:
    static constexpr std::size_t buffer_length = 256 << 10;

    fingerprint_scope scope_;
    std::uint64_t offset_;
    std::vector<extent> left_;  // the next one last
    std::unique_ptr<digest> sum_;
    std::vector<char> piece_;
};

template <class Read>
[[nodiscard]] file_fingerprint fingerprint_of(fingerprint_scope scope, std::uint64_t offset, std::uint64_t size,
                                              const Read& read, const sampling& how = {}) {
    fingerprinter all(scope, offset, size, how);
    while (all.read_some(size, read)) {
    }
    return all.value();
}

/// Whether a file that was pinned again is, as far as its bytes are known, the one that was accepted.
[[nodiscard]] inline bool is_unchanged(const item_spec& accepted, const item_spec& found) {
    if (accepted.size != found.size) {
        return false;
    }
    if (accepted.identity == found.identity) {
        return true;
    }
    const bool known = accepted.append_only || accepted.content.scope == fingerprint_scope::whole ||
                       !may_hide_edit(accepted.identity, found.identity);
    return compare(accepted.identity, found.identity, accepted.append_only) == likeness::alike && known &&
           accepted.content.scope != fingerprint_scope::none && accepted.content == found.content;
}

}  // namespace waybill::detail
