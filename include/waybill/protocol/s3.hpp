// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/detail/decl.hpp>
#include <waybill/model/job.hpp>
#include <waybill/protocol/factory.hpp>
#include <waybill/protocol/s3_credentials.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <ctime>
#include <string>
#include <string_view>
#include <utility>

namespace waybill {

/// Amazon S3 and compatible servers (Ceph, MinIO, Swift, …): each item becomes an object. Items above the part size are
/// sent in parts, several concurrently, and an interrupted transfer continues with the parts the server does not have
/// yet.
///
/// The job's URL is the object's, with the bucket in its path or in its host name; for several items it ends in `/`, or
/// contains `{name}`, as with `put`. It has no query, and must name an object: a PUT to a bucket alone would create a
/// bucket. The job's fields become the object's metadata, `x-amz-meta-…`; its items' content types become the objects'
/// content types.
///
/// Requests are signed (Signature Version 4) with keys from the environment or a shared credentials file, or from your
/// own function (`s3_with`), which is called for each attempt; they are never stored. Needs pugixml (the CMake target
/// `waybill::s3`).
///
/// A crash between the server's creation of an upload and our commit of its id leaves an empty upload at the server. A
/// lifecycle rule of the bucket (AbortIncompleteMultipartUpload) removes it.
class s3 {
public:
    /// Bytes of a part, 5 MiB to 5 GiB: the maximum that is sent again after a connection loss or a crash, for each
    /// part in flight. Raised if an item would need more than 10,000 parts. Default: 8 MiB.
    s3& part_size(std::uint64_t bytes) { return set("part-size", std::to_string(bytes)); }

    /// Parts of an item sent concurrently, 1 to 64. Default: 4.
    s3& parallel(std::size_t parts) { return set("parallel", std::to_string(parts)); }

    /// Makes the server verify and keep a checksum of each part: `crc32c` or `sha256`. Fails with `errc::not_offered`
    /// when its response does not confirm it.
    s3& checksum(std::string algorithm) { return set("checksum", std::move(algorithm)); }

    /// Makes the server also verify and keep a checksum of the whole object: `crc32c`, the only algorithm that S3
    /// combines from those of parts. Implies `checksum`. It is sent when the object is complete, compared with the
    /// server's response, and kept in the receipt.
    s3& digest(std::string algorithm) { return set("digest", std::move(algorithm)); }

    /// The region that signatures name. Default: the one that comes with the keys, otherwise `us-east-1`; if a server
    /// names another one, that is used for the rest of the attempt.
    s3& region(std::string name) { return set("region", std::move(name)); }

    /// The service that signatures name. Default: `s3`.
    s3& service(std::string name) { return set("service", std::move(name)); }

    /// Which keys to use: passed to the provider of the keys (`s3_with`). Default: none.
    s3& profile(std::string name) { return set("profile", std::move(name)); }

    /// Excludes the bytes from the signature, so that parts are not read twice. Only for `https`.
    s3& unsigned_payload() { return set("payload", "unsigned"); }

    /// `x-amz-acl`, such as `public-read`.
    s3& acl(std::string name) { return set("acl", std::move(name)); }

    /// `x-amz-storage-class`, such as `STANDARD_IA`.
    s3& storage_class(std::string name) { return set("storage-class", std::move(name)); }

    /// `x-amz-server-side-encryption`, such as `AES256`.
    s3& encryption(std::string algorithm) { return set("server-side-encryption", std::move(algorithm)); }

    /// The KMS key that the server encrypts with: its id, its ARN or an alias. Implies `encryption("aws:kms")`.
    s3& kms_key(std::string id) { return set("kms-key", std::move(id)); }

    /// `Content-Disposition`, such as `attachment; filename="report.pdf"`. In ASCII: other names as RFC 8187 has them.
    s3& content_disposition(std::string value) { return set("content-disposition", std::move(value)); }

    /// `Content-Encoding` of the files' contents, such as `gzip`. Waybill does not encode anything.
    s3& content_encoding(std::string value) { return set("content-encoding", std::move(value)); }

    /// `Cache-Control`, such as `max-age=3600`.
    s3& cache_control(std::string value) { return set("cache-control", std::move(value)); }

    /// Adds a tag, up to ten.
    s3& tag(std::string_view name, std::string_view value) {
        const auto known = std::find_if(settings_.begin(), settings_.end(),
                                        [](const auto& setting) { return setting.first == "tagging"; });
        std::string all = known == settings_.end() ? std::string() : known->second + "&";
        all += escaped(name) + "=" + escaped(value);
        return set("tagging", std::move(all));
    }

    /// How an object that is locked until a time may be unlocked before.
    enum class lock : std::uint8_t { governance, compliance };

    /// Keeps the object from being overwritten or deleted until then. The bucket must have Object Lock.
    s3& object_lock(lock mode, std::chrono::system_clock::time_point until) {
        set("object-lock-mode", mode == lock::governance ? "GOVERNANCE" : "COMPLIANCE");
        return set("object-lock-retain-until", utc(until));
    }

    /// Keeps the object from being overwritten or deleted until the hold is lifted.
    s3& legal_hold() { return set("object-lock-legal-hold", "ON"); }

    [[nodiscard]] protocol_spec spec() const { return {"s3", settings_}; }

private:
    /// As in a query.
    [[nodiscard]] static std::string escaped(std::string_view text) {
        constexpr std::string_view digits = "0123456789ABCDEF";
        std::string out;
        for (const char c : text) {
            const auto byte = static_cast<unsigned char>(c);
            const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                               std::string_view("-._~").find(c) != std::string_view::npos;
            out += plain ? std::string(1, c) : std::string{'%', digits[byte >> 4], digits[byte & 0x0F]};
        }
        return out;
    }

    [[nodiscard]] static std::string utc(std::chrono::system_clock::time_point at) {
        const std::time_t seconds = std::chrono::system_clock::to_time_t(at);
        std::tm parts{};
        ::gmtime_r(&seconds, &parts);
        std::array<char, 32> text{};
        return {text.data(), std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%SZ", &parts)};
    }

    s3& set(std::string name, std::string value) {
        std::erase_if(settings_, [&](const auto& s) { return s.first == name; });
        settings_.emplace_back(std::move(name), std::move(value));
        return *this;
    }

    detail::string_pairs settings_;
};

/// `s3` with your own keys: `options.protocols.add(s3_with(keys))`. By default it is `s3_with(require_s3_credentials)`.
/// Throws `errc::invalid_option` when there is no function.
[[nodiscard]] WAYBILL_DECL named_protocol s3_with(s3_credentials_provider keys);

}  // namespace waybill

#if defined(WAYBILL_HEADER_ONLY)
#include <waybill/protocol/s3/component.ipp>
#endif
