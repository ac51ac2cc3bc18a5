// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/model/job.hpp>

#include <cstdint>
#include <string>
#include <utility>

namespace waybill {

/// Queries the endpoint with an `OPTIONS` request and uses the best protocol it supports: `tus` if the response has
/// `Tus-Resumable` and tus is registered, `resumable` if it has `Upload-Limit`. Otherwise `put`, if the URL ends in `/`
/// or contains `{name}`, and `multipart` if not.
///
/// The result does not depend on the choice: where `put` would send items to URLs of their own, so does `resumable`;
/// where `multipart` would send a form, `resumable` sends the same form. (tus has its own way of naming things; a job
/// with form fields is never sent by it.)
///
/// The response is cached for the endpoint, the URL without its query, for an hour and only while the uploader lives:
/// different paths of one origin may support different protocols. A job that was started keeps its protocol, even after
/// a restart, and snapshots show it.
class automatic {
public:
    /// As in `resumable` and `tus`; the other protocols do not use it.
    automatic& chunk_size(std::uint64_t bytes) { return set("chunk-size", std::to_string(bytes)); }

    /// As in `multipart`, for the forms that `multipart` or `resumable` sends.
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
