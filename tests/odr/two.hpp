// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/waybill.hpp>

#include <cstddef>
#include <system_error>

const std::error_category* other_category();
const std::error_category* other_http_category();
std::size_t jobs_of(waybill::background_uploader& up);
