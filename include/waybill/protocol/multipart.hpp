// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/model/job.hpp>

namespace waybill {

/// One `POST` of `multipart/form-data` (RFC 7578) for the whole job: its fields, then its items.
///
/// The body's layout is fixed when the job is accepted, so progress is exact for each item. A
/// POST is not idempotent: it carries an `Idempotency-Key` that stays the same for every attempt,
/// and when its answer is lost the job's `on_unknown` policy decides.
class multipart {
public:
    [[nodiscard]] protocol_spec spec() const { return {"multipart", {}}; }
};

}  // namespace waybill
