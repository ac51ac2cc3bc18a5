// SPDX-License-Identifier: BSL-1.0
#include "two.hpp"

const std::error_category* other_category() {
    return &waybill::error_category();
}

const std::error_category* other_http_category() {
    return &waybill::http_category();
}

std::size_t jobs_of(waybill::background_uploader& up) {
    return up.latest()->overall().jobs();
}
