// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/detail/decl.hpp>
#include <waybill/model/job.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>

namespace waybill {

/// tus 1.0.0 (https://tus.io/protocols/resumable-upload): each item is an upload of its own, and a
/// broken transfer continues at the last byte the server has.
///
/// The job's URL is the server's creation URL. An upload's URL is durable before its first byte
/// leaves. The item's name and media type are sent as `filename` and `filetype` of the upload's
/// metadata, together with the job's fields.
///
/// A crash between the server's creation of an upload and our commit of its URL leaves an empty
/// upload at the server, which expires there; never a second whole one.
class tus {
public:
    /// At most this many bytes in one request; 0, the default, sends all that is left. Halved when
    /// the server or a proxy answers 413.
    tus& chunk_size(std::uint64_t bytes) { return set("chunk-size", std::to_string(bytes)); }

    /// Sends an item as this many partial uploads at once, if the server offers `concatenation`;
    /// else, and for items below 1 MiB for each part, one after the other. Default: 1; at most 64.
    tus& parallel(std::size_t uploads) { return set("parallel", std::to_string(uploads)); }

    /// Has the server check each request's body: `sha1`, `sha256`, `md5`, or `any` for the best it
    /// offers. Fails with `errc::not_offered` when it offers none. Chunks are 16 MiB unless set.
    tus& checksum(std::string algorithm) { return set("checksum", std::move(algorithm)); }

    /// Computes the digest of the whole item while it is sent, `sha-256` or `crc32c`, and puts it into
    /// the item's receipt. Its state is part of the checkpoints. Chunks are 16 MiB unless set. With
    /// `parallel` the bytes leave out of order, and the file is read once more at the end.
    tus& digest(std::string algorithm) { return set("digest", std::move(algorithm)); }

    /// Sends the first bytes with the creation, if the server offers `creation-with-upload`: one
    /// request less, but an answer that is lost then means an upload whose URL nobody knows. Small
    /// items, sent whole with it, follow `job::if_unknown` in that case.
    tus& create_with_upload() { return set("create-with-upload", "1"); }

    /// Tells the length with the first bytes instead of at creation, if the server offers
    /// `creation-defer-length`.
    tus& defer_length() { return set("defer-length", "1"); }

    /// Continues an upload that exists at the server: begun by another client, or by another store
    /// of yours (`item_snapshot::resource`). For a job of one item, whose bytes are those the upload
    /// was begun with; at the origin of the job's URL. What can be checked is: the server must name
    /// the item's size as the upload's length, else the job fails with `errc::wrong_offset`. If the
    /// upload is gone, another one is begun. From then on it is the job's own: canceling the job
    /// terminates it.
    ///
    /// Nobody else may be sending to it, and `parallel` has no meaning for it.
    tus& upload_url(std::string url) { return set("upload-url", std::move(url)); }

    /// Sends PATCH and DELETE as POST with `X-HTTP-Method-Override`, for networks that block them.
    /// Servers that do not know the header create a new upload instead: use it only where it works.
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
