// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/limit_scope.hpp>

#include <map>
#include <string>

namespace waybill {

/// How fast bodies are sent, as rates (`512K`, `1.5M`, `off`, `stop`) or weekly timetables
/// (`08:00,512K 18:00,off`); see docs/guide/bandwidth.md. A request obeys every limit that applies to it.
struct bandwidth_limits {
    std::string total = "off";                 ///< of everything that the uploader sends
    std::map<std::string, std::string> hosts;  ///< by host name, without a port
    std::map<std::string, std::string> lanes;  ///< by the names that jobs were given with `job::lane`
};

}  // namespace waybill
