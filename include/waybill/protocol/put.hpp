// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/model/job.hpp>

#include <cstddef>
#include <string>
#include <utility>

namespace waybill {

/// One request for each item, its bytes as the body: `PUT` (RFC 9110 section 9.3.4) to WebDAV, object stores with
/// signed URLs, plain HTTP servers; `POST` and `PATCH` to the endpoints of an API. An interrupted transfer restarts at
/// the item's first byte.
///
/// The job's URL is the target of a single item. For several items it ends in `/`, or contains
/// `{name}`, and each item's percent-encoded name completes it.
class put {
public:
    /// `PUT`, the default, `POST` or `PATCH`.
    ///
    /// The last two are not idempotent: each carries an `Idempotency-Key` of its item, and when its response is lost
    /// the job's `on_unknown` policy decides, as with a form. All items may then go to one URL, one after the other: a
    /// `POST` goes to the job's URL unchanged, even if that ends in `/`, and carries the item's name in
    /// `Content-Disposition`; `{name}` is completed for any method.
    put& method(std::string name) {
        method_ = std::move(name);
        return *this;
    }

    /// Sends up to this many items concurrently, each on its own connection. Default: 1, one after the other in their
    /// order; at most 64. Many small files arrive several times as fast with 8 to 32 of them; each costs the memory of
    /// one transfer. Only for `PUT`: with other methods, the outcome of one request is known before the next is sent.
    put& parallel(std::size_t items) {
        parallel_ = items;
        return *this;
    }

    /// Sends a digest of each item ahead, `sha-256` or `crc32c`, as `Repr-Digest` (RFC 9530), and keeps it in the
    /// receipt. A server that supports the field can reject data that was damaged in transit; most do not. Each item is
    /// read twice. Default: none.
    put& digest(std::string algorithm) {
        digest_ = std::move(algorithm);
        return *this;
    }

    [[nodiscard]] protocol_spec spec() const {
        protocol_spec spec{"put", {}};
        if (method_ != "PUT") {
            spec.settings.emplace_back("method", method_);
        }
        if (parallel_ != 1) {
            spec.settings.emplace_back("parallel", std::to_string(parallel_));
        }
        if (!digest_.empty()) {
            spec.settings.emplace_back("digest", digest_);
        }
        return spec;
    }

private:
    std::string method_ = "PUT";
    std::size_t parallel_ = 1;
    std::string digest_;
};

}  // namespace waybill
