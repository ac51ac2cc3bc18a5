// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/platform/file.hpp>
#include <waybill/source/file_source.hpp>
#include <waybill/source/pinning.hpp>
#include <waybill/source/recognizing.hpp>

#include <cstddef>
#include <functional>

namespace waybill {

WAYBILL_DECL file_source::file_source(const item_spec& item, const file_root& root)
    : file_(detail::open_accepted(item.path, item.identity, root)), accepted_(item.identity), content_(item.content),
      offset_(item.offset), size_(item.size), append_only_(item.append_only),
      to_the_end_(item.kind == source_kind::file && !item.append_only) {
    require_accepted(file_.identity);
    if (append_only_) {
        require_content();
    }
    if (to_the_end_ && size_ == 0) {
        detail::require_end(file_, 0);
    }
    constexpr std::uint64_t read_ahead = 128 << 10;  // the kernel's own, unasked
    if (size_ > read_ahead) {
        detail::expect_reading(file_.fd, offset_, size_);
    }
}

WAYBILL_DECL void file_source::read(std::uint64_t offset, std::span<char> out) {
    const std::uint64_t at = offset_ + offset;
    detail::read_all(file_, at, out);
    require_accepted(detail::look_again(file_));
    const bool ends = offset + out.size() == size_;
    if (ends && to_the_end_) {
        detail::require_end(file_, at + out.size());
    }
    if (ends && append_only_) {
        require_content();  // what was read first may have been overwritten meanwhile
    }
}

WAYBILL_DECL void file_source::require_accepted(const file_identity& found) {
    switch (detail::compare(accepted_, found, append_only_)) {
        case detail::likeness::same: return;
        case detail::likeness::other: throw error(errc::file_changed, file_.path);
        case detail::likeness::alike: break;
    }
    file_.identity = found;
    if (append_only_) {
        return;
    }
    if (content_.scope == fingerprint_scope::none || !detail::sampling().is_whole(size_)) {
        throw error(errc::file_touched, file_.path);  // comparing the content would take too long here
    }
    require_content();
    accepted_ = found;
}

WAYBILL_DECL void file_source::require_content() const {
    const auto read = [this](std::uint64_t at, std::span<char> out) { detail::read_all(file_, at, out); };
    if (content_.scope != fingerprint_scope::none &&
        detail::fingerprint_of(content_.scope, offset_, size_, read) != content_) {
        throw error(errc::file_changed, file_.path);
    }
    if (!append_only_ && detail::look_again(file_) != file_.identity) {
        throw error(errc::file_touched, file_.path);
    }
}

WAYBILL_DECL pinned_file file_opener::pin_one(const wanted_file& file, const file_root& root) {
    detail::pinning one({file}, root);
    while (one.go_on()) {
    }
    return std::move(one).take().front();
}

WAYBILL_DECL asio::awaitable<std::vector<pinned_file>> file_opener::pin(std::vector<wanted_file> files) {
    // A few small files are checked here as quickly as a thread is woken: as many as are opened between two turns when
    // they are sent.
    constexpr std::size_t few = 8;
    const bool here = files.size() <= few;
    const auto work = std::make_shared<detail::pinning>(std::move(files), root_);
    bool more = !here || work->go_on(true);
    while (more) {
        std::function<bool()> slice = [work] { return work->go_on(); };
        more = co_await worker_.run(std::move(slice));
    }
    co_return std::move(*work).take();
}

WAYBILL_DECL std::unique_ptr<body_source> file_opener::open(const item_spec& item) {
    if (item.kind == source_kind::bytes) {
        return std::make_unique<bytes_source>(item.data);
    }
    return std::make_unique<file_source>(item, root_);
}

WAYBILL_DECL asio::awaitable<std::vector<recognition>> file_opener::recognize(std::vector<item_spec> items,
                                                                              std::vector<bool> begun) {
    const auto work = std::make_shared<detail::recognizing>(std::move(items), std::move(begun), root_);
    bool more = true;
    while (more) {
        std::function<bool()> slice = [work] { return work->go_on(); };
        more = co_await worker_.run(std::move(slice));
    }
    co_return std::move(*work).take();
}

}  // namespace waybill
