// SPDX-License-Identifier: BSL-1.0
#pragma once

/// Everything an application needs, with all protocols, and the interfaces of the parts it may replace. A program that
/// wants less includes `<waybill/uploader.hpp>` and the headers of the protocols it uses.

#include <waybill/background_uploader.hpp>
#include <waybill/clock.hpp>
#include <waybill/error.hpp>
#include <waybill/feed.hpp>
#include <waybill/http/url.hpp>
#include <waybill/model/gate.hpp>
#include <waybill/model/hold.hpp>
#include <waybill/model/job.hpp>
#include <waybill/model/snapshot.hpp>
#include <waybill/options.hpp>
#include <waybill/protocol/automatic.hpp>
#include <waybill/protocol/multipart.hpp>
#include <waybill/protocol/protocol.hpp>
#include <waybill/protocol/put.hpp>
#include <waybill/protocol/resumable.hpp>
#include <waybill/protocol/tus.hpp>
#include <waybill/random.hpp>
#include <waybill/source/source_opener.hpp>
#include <waybill/store/store.hpp>
#include <waybill/transport/transport.hpp>
#include <waybill/uploader.hpp>
#include <waybill/version.hpp>

#if defined(WAYBILL_HAS_S3)
#include <waybill/protocol/s3.hpp>
#endif
