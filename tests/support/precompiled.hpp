// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/waybill.hpp>

#include "support/catch.hpp"

#include <asio/io_context.hpp>
