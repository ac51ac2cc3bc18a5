// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/model/job.hpp>

namespace waybill {

/// One `PUT` request for each item (RFC 9110 section 9.3.4): WebDAV, object stores with signed
/// URLs, plain HTTP servers. A broken transfer begins again at the item's first byte.
///
/// The job's URL is the target of a single item. For several items it ends in `/`, or contains
/// `{name}`, and each item's percent-encoded name completes it.
class put {
public:
    [[nodiscard]] protocol_spec spec() const { return {"put", {}}; }
};

}  // namespace waybill
