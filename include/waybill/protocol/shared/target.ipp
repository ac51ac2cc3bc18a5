// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/error.hpp>
#include <waybill/http/url.hpp>
#include <waybill/protocol/shared/target.hpp>
#include <waybill/transport/response.hpp>

#include <map>

namespace waybill::detail {

WAYBILL_DECL bool is_put_template(std::string_view url) noexcept {
    const std::string_view path = url.substr(0, url.find('?'));
    return path.ends_with('/') || url.find("{name}") != std::string_view::npos;
}

WAYBILL_DECL std::string put_target(const std::string& target, bool by_put, std::string_view name) {
    return by_put && is_put_template(target) ? url::fill_name(target, name) : target;
}

WAYBILL_DECL void require_different_names(const waybill::job& job) {
    std::map<std::string, const item*> known;
    for (const item& i : job.items()) {
        const auto [first, fresh] = known.try_emplace(i.name(), &i);
        if (!fresh) {
            const auto place = [](const item& one) { return one.path().empty() ? "memory" : one.path(); };
            const std::string both = place(*first->second) + " and " + place(i);
            throw error(errc::duplicate_name,
                        printable_excerpt(both, 1024) + " are both named " + printable_excerpt(i.name(), 256));
        }
    }
}

WAYBILL_DECL void require_targets(const waybill::job& job) {
    if (is_put_template(job.url())) {
        require_different_names(job);
    } else if (job.items().size() > 1) {
        throw error(errc::invalid_url, "several items need a URL that ends in / or contains {name}");
    }
}

}  // namespace waybill::detail
