// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/detail/codec.hpp>
#include <waybill/protocol/detail/body_range.hpp>
#include <waybill/protocol/detail/resumable_upload.hpp>
#include <waybill/transport/url.hpp>

#include <asio/post.hpp>

#include <algorithm>
#include <utility>

// What one upload asks for and keeps; the steps are in resumable_upload.ipp.
namespace waybill::detail {

WAYBILL_DECL header_field interop_header(int version) {
    return header_field{"Upload-Draft-Interop-Version", std::to_string(version)};
}

WAYBILL_DECL std::string resumable_state::encode() const {
    encoder out;
    out.number(1).number(static_cast<std::uint64_t>(interop)).number(length).number(most_append);
    out.text(boundary).text(algorithm).text(marks);
    return std::move(out).take();
}

WAYBILL_DECL std::optional<resumable_state> resumable_state::decode(std::string_view bytes) {
    decoder in(bytes);
    resumable_state s;
    const bool known = in.number() == 1;
    s.interop = static_cast<int>(in.number(1000));
    s.length = in.number();
    s.most_append = in.number();
    s.boundary = in.text();
    s.algorithm = in.text();
    s.marks = in.text();
    return known && in.finished() ? std::optional(std::move(s)) : std::nullopt;
}

WAYBILL_DECL request resumable_upload::new_request(std::string method, const std::string& url) const {
    request what;
    what.method = std::move(method);
    what.url = url;
    what.headers.push_back(interop_header(interop_));
    what.idempotent = true;  // an append is guarded by its offset
    return what;
}

/// Which of the bytes that one request sends are which item's.
WAYBILL_DECL std::vector<body_span> resumable_upload::spans(std::uint64_t begin, std::uint64_t length) const {
    std::vector<body_span> found;
    for (const representation::part& p : what_.parts) {
        const std::uint64_t first = std::max(begin, p.offset);
        const std::uint64_t end = std::min(begin + length, p.offset + p.size);
        if (first < end) {
            found.push_back(body_span{p.item, first - begin, first - p.offset, end - first});
        }
    }
    return found;
}

// The server's limits bind (draft section 4.1.4): never more than the most, and never less than
// the least but for the last bytes.
WAYBILL_DECL std::uint64_t resumable_upload::next_length() const {
    std::uint64_t most = how_.chunk_size == 0 ? size_ : std::max(how_.chunk_size, least_append_);
    if (most_append_ != 0) {
        most = std::min(most, most_append_);
    }
    return std::min(most, size_ - position_);
}

/// A digest field's value for some bytes of the body, read for it in turns of the loop.
WAYBILL_DECL asio::awaitable<std::string> resumable_upload::digest_field(std::string algorithm, std::uint64_t begin,
                                                                         std::uint64_t length) {
    const std::unique_ptr<detail::digest> sum = detail::digest::make(algorithm);
    std::string piece;
    const asio::any_io_executor home = co_await asio::this_coro::executor;
    for (std::uint64_t at = 0; at < length; at += piece.size()) {
        piece.resize(static_cast<std::size_t>(std::min<std::uint64_t>(length - at, 2 << 20)));
        what_.body->read(begin + at, piece);
        sum->update(piece);
        co_await asio::post(home, asio::use_awaitable);
    }
    co_return algorithm + "=:" + to_base64(sum->value()) + ":";
}

WAYBILL_DECL asio::awaitable<request> resumable_upload::creation(bool whole) {
    request asked = new_request(what_.method, what_.url);
    asked.headers.insert(asked.headers.end(), what_.headers.begin(), what_.headers.end());
    asked.headers.push_back(header_field{"Upload-Complete", whole ? "?1" : "?0"});
    asked.headers.push_back(header_field{"Upload-Length", std::to_string(size_)});
    if (!how_.digest.empty()) {
        asked.headers.push_back(header_field{"Want-Repr-Digest", how_.digest + "=10"});
    }
    if (how_.send_digests) {
        std::string value = co_await digest_field(how_.digest, 0, size_);
        asked.headers.push_back(header_field{"Repr-Digest", std::move(value)});
    }
    co_return asked;
}

/// What interim responses have said while a body was being sent.
struct resumable_upload::interim_notes {
    std::string location;  ///< resolved
    std::string broken;    ///< why the request was ended
};

/// Takes in interim responses (104). One that cannot be true ends the request.
WAYBILL_DECL void resumable_upload::watch(request& what, interim_notes& notes, std::uint64_t begin) {
    const auto* const sent = what.body == nullptr ? nullptr : static_cast<const body_range*>(what.body);
    const bool creates = resource_.empty();
    what.on_interim = [this, &notes, sent, begin, creates](int status, const header_list& headers) {
        const auto version = size_field(headers, "Upload-Draft-Interop-Version");
        if (status != 104 || version != static_cast<std::uint64_t>(interop_)) {
            return;  // the draft wants it ignored
        }
        const auto location = single_header(headers, "Location");
        if (creates && location && notes.location.empty()) {
            const url target(what_.url);
            const url placed = target.resolve(std::string(*location));
            if (placed.origin() != target.origin()) {
                notes.broken = "the server places the upload at another origin, " + placed.origin();
                throw error(errc::invalid_response);
            }
            notes.location = placed.str();
            if (sent != nullptr) {  // its bytes are on their way: the URL must be on disk now
                resource_ = notes.location;
                job_.save_soon(reached());
            }
        }
        const auto offset = size_field(headers, "Upload-Offset");
        if (offset && sent != nullptr && !resource_.empty()) {
            if (*offset < position_ || *offset > begin + sent->taken()) {
                notes.broken = "the server says it has " + std::to_string(*offset) + " bytes";
                throw error(errc::wrong_offset);
            }
            advance(*offset);
        }
    };
}

}  // namespace waybill::detail
