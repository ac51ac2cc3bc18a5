// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/detail/decl.hpp>
#include <waybill/model/job.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>

namespace waybill {

/// tus 1.0.0 (https://tus.io/protocols/resumable-upload): each item is a separate upload, and an interrupted transfer
/// continues at the last byte the server has.
///
/// The job's URL is the server's creation URL. An upload's URL is durable before its first byte is sent. The item's
/// name and media type are sent as `filename` and `filetype` of the upload's metadata, together with the job's fields.
///
/// A crash between the server's creation of an upload and our commit of its URL leaves an empty upload at the server,
/// which expires there; never a second complete one.
class tus {
public:
    /// At most this many bytes in one request; 0, the default, sends all remaining bytes. Halved when the server or a
    /// proxy responds with 413.
    tus& chunk_size(std::uint64_t bytes) { return set("chunk-size", std::to_string(bytes)); }

    /// Sends an item as this many partial uploads concurrently, if the server supports `concatenation`; otherwise, and
    /// for items below 1 MiB for each part, one after the other. Default: 1; at most 64.
    tus& parallel(std::size_t uploads) { return set("parallel", std::to_string(uploads)); }

    /// Makes the server verify each request's body: `sha1`, `sha256`, `md5`, or `any` for the best it supports. Fails
    /// with `errc::not_offered` when it supports none. Chunks are 16 MiB unless set.
    tus& checksum(std::string algorithm) { return set("checksum", std::move(algorithm)); }

    /// Computes the digest of the whole item while it is sent, `sha-256` or `crc32c`, and puts it into the item's
    /// receipt. Its state is part of the checkpoints. Chunks are 16 MiB unless set. With `parallel` the bytes are sent
    /// out of order, and the file is read once more at the end.
    tus& digest(std::string algorithm) { return set("digest", std::move(algorithm)); }

    /// Sends the first bytes with the creation, if the server supports `creation-with-upload`: one request less, but if
    /// its response is lost, the upload exists and its URL is unknown. Small items, sent whole with it, follow
    /// `job::if_unknown` in that case.
    tus& create_with_upload() { return set("create-with-upload", "1"); }

    /// Sends the length with the first bytes instead of at creation, if the server supports `creation-defer-length`.
    tus& defer_length() { return set("defer-length", "1"); }

    /// Continues an upload that exists at the server: created by another client, or by another store of yours
    /// (`item_snapshot::resource`). The job must have exactly one item, containing the same bytes the upload was
    /// started with, and the URL must have the origin of the job's URL. Only the length can be verified: if the server
    /// reports a length other than the item's size, the job fails with `errc::wrong_offset`. If the upload no longer
    /// exists, a new one is created. From then on it belongs to the job: canceling the job terminates it.
    ///
    /// No other client may be sending to it, and `parallel` has no effect on it.
    tus& upload_url(std::string url) { return set("upload-url", std::move(url)); }

    /// Sends PATCH and DELETE as POST with `X-HTTP-Method-Override`, for networks that block them. Servers that do not
    /// support the header create a new upload instead: use it only with servers that do.
    tus& override_method() { return set("override-method", "1"); }

    [[nodiscard]] protocol_spec spec() const { return {"tus", settings_}; }

private:
    tus& set(std::string name, std::string value) {
        std::erase_if(settings_, [&](const auto& s) { return s.first == name; });
        settings_.emplace_back(std::move(name), std::move(value));
        return *this;
    }

    detail::string_pairs settings_;
};

}  // namespace waybill

#if defined(WAYBILL_HEADER_ONLY)
#include <waybill/protocol/tus/component.ipp>
#endif
