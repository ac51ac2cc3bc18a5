// SPDX-License-Identifier: BSL-1.0
#pragma once

#if !__has_include(<pugixml.hpp>)
#error "<waybill/protocol/s3.hpp> needs pugixml: link the CMake target waybill::s3"
#endif

#include <waybill/error.hpp>
#include <waybill/protocol/components.hpp>
#include <waybill/protocol/s3.hpp>
#include <waybill/protocol/s3/protocol.hpp>

#include <memory>
#include <utility>

namespace waybill {

WAYBILL_DECL named_protocol s3_with(s3_credentials_provider keys) {
    if (!keys) {
        throw error(errc::invalid_option, "s3_with: there is no function for the keys");
    }
    const auto make = [keys = std::move(keys)](const protocol_spec& spec) -> std::unique_ptr<protocol> {
        return std::make_unique<detail::s3_protocol>(detail::parse_s3_settings(spec), keys);
    };
    return {"s3", make};
}

namespace detail {

inline const component s3_component(s3_with(require_s3_credentials));

}  // namespace detail
}  // namespace waybill
