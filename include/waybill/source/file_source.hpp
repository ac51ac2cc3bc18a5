// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/detail/decl.hpp>
#include <waybill/detail/worker.hpp>
#include <waybill/source/file_root.hpp>
#include <waybill/source/opened_file.hpp>
#include <waybill/source/recognition.hpp>
#include <waybill/source/source_opener.hpp>

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace waybill {

/// A file, or a range of it, exactly as it was when its job was accepted.
///
/// The identity is compared when the file is opened, and after each read, before its bytes are handed out: a file that
/// changes meanwhile ends the transfer with `errc::file_changed`, or with `errc::file_touched` if only its bytes can
/// decide, and two versions are never mixed. The file is read with `pread`, never mapped: a mapped file that is
/// truncated kills the process.
class file_source final : public body_source {
public:
    explicit file_source(const item_spec& item, const file_root& root = {});

    [[nodiscard]] std::uint64_t size() const noexcept override { return size_; }
    void read(std::uint64_t offset, std::span<char> out) override;

private:
    void require_accepted(const file_identity& found);
    void require_content() const;

    detail::opened_file file_;
    file_identity accepted_;
    file_fingerprint content_;
    std::uint64_t offset_;
    std::uint64_t size_;
    bool append_only_;
    bool to_the_end_;
};

/// Items from the file system and from memory.
class file_opener final : public source_opener {
public:
    /// @param home the strand all calls are made on; many files, and large ones, are checked on a separate thread,
    ///   because a slow disk must not hold up the network.
    /// @param root the folder all files must lie in.
    explicit file_opener(const detail::strand& home, file_root root = {}) : root_(std::move(root)), worker_(home) {}

    asio::awaitable<std::vector<pinned_file>> pin(std::vector<wanted_file> files) override;
    [[nodiscard]] std::unique_ptr<body_source> open(const item_spec& item) override;
    asio::awaitable<std::vector<recognition>> recognize(std::vector<item_spec> items, std::vector<bool> begun) override;

    /// Links are followed here, once, at acceptance; never afterwards.
    [[nodiscard]] static pinned_file pin_one(const wanted_file& file, const file_root& root = {});

private:
    file_root root_;
    detail::worker worker_;  // last: its thread uses the root
};

}  // namespace waybill

#if defined(WAYBILL_HEADER_ONLY)
#include <waybill/source/file_source.ipp>
#endif
