// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/transport/detail/curl_handle.hpp>

#include <cstddef>
#include <utility>
#include <vector>

namespace waybill::detail {

/// Unused easy handles, for reuse. Creating and destroying one costs more than the rest of a small request's
/// preparation. Only handles of requests that ended well are returned, with no option set.
class easy_pool {
public:
    [[nodiscard]] easy_handle take() {
        if (free_.empty()) {
            easy_handle fresh(curl_easy_init());
            if (!fresh) {
                throw std::bad_alloc();
            }
            return fresh;
        }
        easy_handle kept = std::move(free_.back());
        free_.pop_back();
        return kept;
    }

    void give_back(easy_handle used) {
        constexpr std::size_t most = 64;
        if (free_.size() < most) {
            curl_easy_reset(used.get());
            free_.push_back(std::move(used));
        }
    }

private:
    std::vector<easy_handle> free_;
};

}  // namespace waybill::detail
