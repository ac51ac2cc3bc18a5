// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/body/body_source.hpp>
#include <waybill/http/form.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <iterator>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace waybill {

/// A `multipart/form-data` body (RFC 7578) with a fixed layout: the same boundary, fields and
/// parts always give the same bytes at the same positions, so the exact length is known before
/// the first byte, each item is a known byte range, and a transfer can continue anywhere.
///
/// Files are opened when their range is first read and closed afterwards: one at a time is open.
///
/// @par Thread safety
///   Distinct objects: safe. Shared objects: unsafe.
class multipart_body final : public body_source {
public:
    using opener = std::function<std::unique_ptr<body_source>()>;

    /// The position of an item's bytes in the body.
    struct placed_item {
        std::uint64_t offset = 0;
        std::uint64_t size = 0;
    };

    /// @param boundary 1 to 70 characters, random, and not contained in any part (RFC 2046
    ///   section 5.1.1); 128 random bits make a collision impossible in practice.
    explicit multipart_body(std::string boundary) : boundary_(std::move(boundary)) {}

    /// Adds a form field. Call before the first `read`.
    void add_field(std::string_view name, std::string_view value) {
        std::string text =
            opening() + "Content-Disposition: form-data; name=\"" + escape_form_name(name) + "\"\r\n\r\n";
        text.append(value);
        append_text(std::move(text));
    }

    /// Adds a part of `size` bytes whose source is opened when it is needed.
    void add_item(std::string_view field, std::string_view file_name, std::string_view content_type, std::uint64_t size,
                  opener open) {
        std::string text = opening() + "Content-Disposition: form-data; name=\"" + escape_form_name(field) +
                           "\"; filename=\"" + escape_form_name(file_name) + "\"\r\nContent-Type: ";
        text.append(content_type).append("\r\n\r\n");
        append_text(std::move(text));
        items_.push_back({size_, size});
        pieces_.push_back({size_, size, {}, std::move(open)});
        size_ += size;
    }

    /// Closes the body; nothing can be added afterwards.
    void finish() { append_text((pieces_.empty() ? "--" : "\r\n--") + boundary_ + "--\r\n"); }

    [[nodiscard]] std::string content_type() const { return "multipart/form-data; boundary=" + boundary_; }
    [[nodiscard]] const std::vector<placed_item>& items() const noexcept { return items_; }
    [[nodiscard]] std::uint64_t size() const noexcept override { return size_; }

    void read(std::uint64_t offset, std::span<char> out) override {
        auto piece = std::prev(std::upper_bound(pieces_.begin(), pieces_.end(), offset,
                                                [](std::uint64_t at, const piece_type& p) { return at < p.offset; }));
        while (!out.empty()) {
            const std::uint64_t inside = offset - piece->offset;
            const auto count = static_cast<std::size_t>(std::min<std::uint64_t>(piece->size - inside, out.size()));
            if (count > 0) {
                read_piece(*piece, inside, out.first(count));
                offset += count;
                out = out.subspan(count);
            }
            ++piece;
        }
    }

private:
    struct piece_type {
        std::uint64_t offset;
        std::uint64_t size;
        std::string text;
        opener open;  // empty for text
    };

    [[nodiscard]] std::string opening() const { return (pieces_.empty() ? "--" : "\r\n--") + boundary_ + "\r\n"; }

    void append_text(std::string text) {
        const std::uint64_t length = text.size();
        pieces_.push_back({size_, length, std::move(text), {}});
        size_ += length;
    }

    void read_piece(const piece_type& piece, std::uint64_t inside, std::span<char> out) {
        if (!piece.open) {
            std::copy_n(piece.text.data() + inside, out.size(), out.data());
            return;
        }
        if (current_piece_ != &piece) {
            current_.reset();  // close before open: one descriptor at a time
            current_ = piece.open();
            current_piece_ = &piece;
        }
        current_->read(inside, out);
        if (inside + out.size() == piece.size) {
            current_.reset();
            current_piece_ = nullptr;
        }
    }

    std::string boundary_;
    std::vector<piece_type> pieces_;
    std::vector<placed_item> items_;
    std::uint64_t size_ = 0;
    std::unique_ptr<body_source> current_;
    const piece_type* current_piece_ = nullptr;
};

}  // namespace waybill
