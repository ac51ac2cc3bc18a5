// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/model/job.hpp>

#include <cstdint>
#include <string>
#include <utility>

namespace waybill {

/// Asks the endpoint what it speaks, with an `OPTIONS` request, and uses the best of it: `tus` where
/// the answer has `Tus-Resumable` and tus is registered, `resumable` where it has `Upload-Limit`.
/// Otherwise `put`, if the URL ends in `/` or contains `{name}`, or else `multipart`.
///
/// What arrives does not depend on that: where `put` would send items to URLs of their own,
/// `resumable` does, too; where `multipart` would send a form, `resumable` sends the same form. (tus
/// has its own way of naming things; a job with form fields is never sent by it.)
///
/// The answer is remembered for the endpoint, the URL without its query, for an hour and as long as
/// the uploader lives: different paths of one origin speak differently. A job stays with the protocol it has begun
/// with, also after a restart, and snapshots show it.
class automatic {
public:
    /// As in `resumable` and `tus`; the other protocols have no use for it.
    automatic& chunk_size(std::uint64_t bytes) { return set("chunk-size", std::to_string(bytes)); }

    /// As in `multipart`, for the forms that it or `resumable` sends.
    automatic& file_field(std::string name) { return set("file-field", std::move(name)); }

    [[nodiscard]] protocol_spec spec() const { return {"auto", settings_}; }

private:
    automatic& set(std::string name, std::string value) {
        std::erase_if(settings_, [&](const auto& known) { return known.first == name; });
        settings_.emplace_back(std::move(name), std::move(value));
        return *this;
    }

    detail::string_pairs settings_;
};

}  // namespace waybill
