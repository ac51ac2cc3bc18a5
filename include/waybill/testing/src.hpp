// SPDX-License-Identifier: BSL-1.0
#pragma once

/// The definitions of the test kit, for exactly one source file of a program that defines WAYBILL_SEPARATE_COMPILATION
/// and uses them. Separate from <waybill/src.hpp>, because they are not needed in production.

#if !defined(WAYBILL_SEPARATE_COMPILATION)
#error \
    "<waybill/testing/src.hpp> is for programs that define WAYBILL_SEPARATE_COMPILATION; otherwise the headers have everything"
#endif

#include <waybill/testing/fake_transport.ipp>
#include <waybill/testing/manual_clock.ipp>
#include <waybill/testing/memory_sources.ipp>
#include <waybill/testing/memory_store.ipp>
#include <waybill/testing/memory_store_open.ipp>
#include <waybill/testing/memory_store_reads.ipp>
