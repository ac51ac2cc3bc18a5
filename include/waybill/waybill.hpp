// SPDX-License-Identifier: BSL-1.0
#pragma once

/// Everything an application needs.

#include <waybill/background_uploader.hpp>
#include <waybill/error.hpp>
#include <waybill/feed.hpp>
#include <waybill/model/job.hpp>
#include <waybill/model/snapshot.hpp>
#include <waybill/options.hpp>
#include <waybill/protocol/automatic.hpp>
#include <waybill/protocol/multipart.hpp>
#include <waybill/protocol/put.hpp>
#include <waybill/protocol/resumable.hpp>
#include <waybill/protocol/s3.hpp>
#include <waybill/protocol/tus.hpp>
#include <waybill/transport/url.hpp>
#include <waybill/uploader.hpp>
#include <waybill/version.hpp>
