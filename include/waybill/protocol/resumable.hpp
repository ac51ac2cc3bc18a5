// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/detail/decl.hpp>
#include <waybill/model/job.hpp>

#include <cstdint>
#include <string>
#include <utility>

namespace waybill {

/// Resumable uploads for HTTP (draft-ietf-httpbis-resumable-upload): an interrupted transfer continues at the last byte
/// the server has confirmed, even after a restart.
///
/// Each item is a representation of its own, sent to the job's URL; with the method `PUT` the URL
/// may end in `/` or contain `{name}`, as for `put`. `as_form` makes the whole job one
/// `multipart/form-data` representation instead: the request a form handler knows, resumable in
/// mid-body.
class resumable {
public:
    /// The draft's interop version: 8 (drafts 09 and later) or 6 (drafts 04 and 05). Default: 8.
    resumable& interop(int version) { return set("interop", std::to_string(version)); }

    /// The whole job, fields and items, is one form and one upload.
    resumable& as_form() { return set("form", "1"); }

    /// The form field of the items that name none themselves, as in `multipart::file_field`.
    resumable& file_field(std::string name) { return set("file-field", std::move(name)); }

    /// Sends the whole body with the request that creates the upload. It can be resumed once the server has sent the
    /// upload's URL in an interim response (104), which not every proxy forwards. Default: the upload is created first,
    /// without a body, and its URL is on disk before the first byte is sent.
    resumable& optimistic() { return set("creation", "optimistic"); }

    /// The method of the request that creates the upload. Default: `POST`.
    resumable& method(std::string name) { return set("method", std::move(name)); }

    /// The maximum number of bytes of one request; 0, the default: all remaining bytes. The server's own limits
    /// (`Upload-Limit`) hold in any case.
    resumable& chunk_size(std::uint64_t bytes) { return set("chunk-size", std::to_string(bytes)); }

    /// Computes the digest of what is sent, `sha-256` or `crc32c`; asks the server for its own (`Want-Repr-Digest`, RFC
    /// 9530) and compares. Its state is kept with each checkpoint.
    resumable& digest(std::string algorithm) { return set("digest", std::move(algorithm)); }

    /// Also sends digests ahead, `Repr-Digest` of the whole and `Content-Digest` of each request, so that the server
    /// can reject data that was damaged in transit. The data is read twice.
    resumable& send_digests() { return set("send-digests", "1"); }

    /// Continues an upload that exists at the server: created by another client, or by another store of yours
    /// (`item_snapshot::resource`). For a job of one item, not a form; at the origin of the job's URL. If the server
    /// reports a length other than the item's, the job fails with `errc::wrong_offset`. If the upload no longer exists,
    /// a new one is created. From then on it belongs to the job: canceling the job deletes it. No other client may be
    /// sending to it.
    resumable& upload_url(std::string url) { return set("upload-url", std::move(url)); }

    [[nodiscard]] protocol_spec spec() const { return {"resumable", settings_}; }

private:
    resumable& set(std::string name, std::string value) {
        std::erase_if(settings_, [&](const auto& known) { return known.first == name; });
        settings_.emplace_back(std::move(name), std::move(value));
        return *this;
    }

    detail::string_pairs settings_;
};

}  // namespace waybill

#if defined(WAYBILL_HEADER_ONLY)
#include <waybill/protocol/resumable/component.ipp>
#endif
