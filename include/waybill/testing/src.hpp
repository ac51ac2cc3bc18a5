// SPDX-License-Identifier: BSL-1.0
#pragma once

/// The definitions of the parts that apps test themselves with, for exactly one source file of a program that defines
/// WAYBILL_SEPARATE_COMPILATION and uses them. Apart from <waybill/src.hpp>: they are no part of what is delivered.

#if !defined(WAYBILL_SEPARATE_COMPILATION)
#error \
    "<waybill/testing/src.hpp> is for programs that define WAYBILL_SEPARATE_COMPILATION; otherwise the headers have everything"
#endif

#include <waybill/testing/impl/fake_transport.ipp>
#include <waybill/testing/impl/manual_clock.ipp>
#include <waybill/testing/impl/memory_sources.ipp>
#include <waybill/testing/impl/memory_store.ipp>
