// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/model/job.hpp>

#include <string>
#include <utility>

namespace waybill {

/// One `POST` of `multipart/form-data` (RFC 7578) for the whole job: its fields, then its items.
///
/// The body's layout is fixed when the job is accepted, so progress is exact for each item. A POST is not idempotent:
/// it carries an `Idempotency-Key` that stays the same for every attempt, and when its response is lost the job's
/// `on_unknown` policy decides.
class multipart {
public:
    /// The form field of items that name none themselves (`item::field`). Default: `file`, for each of them, as
    /// browsers name the files of one input. PHP and Rack (Rails, Sinatra) keep only the last of several parts with one
    /// name, unless the name ends in `[]`: use `photos[]` for these.
    multipart& file_field(std::string name) {
        file_field_ = std::move(name);
        return *this;
    }

    [[nodiscard]] protocol_spec spec() const {
        protocol_spec spec{"multipart", {}};
        if (!file_field_.empty()) {
            spec.settings.emplace_back("file-field", file_field_);
        }
        return spec;
    }

private:
    std::string file_field_;
};

}  // namespace waybill
