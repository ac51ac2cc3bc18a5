// SPDX-License-Identifier: BSL-1.0
#pragma once

// What this library requires of its environment, in one place. Included before any Asio header by every file of ours
// that uses Asio.

#if defined(__clang__) && !defined(ASIO_HAS_CO_AWAIT)
// Asio 1.22 to 1.25 look for <experimental/coroutine> under Clang and otherwise hide awaitable.
#define ASIO_HAS_CO_AWAIT 1
#define ASIO_HAS_STD_COROUTINE 1
#endif

// Asio uses a macro of the standard library to choose how to allocate. If none of its headers were included first, Asio
// would allocate differently than in other files of the program, and one file would free what another has allocated.
// clang-format off
#include <cstddef>
// clang-format on

#include <asio/detail/config.hpp>
#include <asio/version.hpp>

#if !defined(ASIO_STANDALONE)
#error "Waybill needs standalone Asio: define ASIO_STANDALONE (the CMake target waybill::waybill does)"
#endif

#if ASIO_VERSION < 102201
#error "Waybill needs Asio 1.22.1 or newer"
#endif

#if !defined(ASIO_HAS_CO_AWAIT)
#error "Asio hides awaitable: compile as C++20, and under Clang define ASIO_HAS_CO_AWAIT=1 before the first Asio header"
#endif
