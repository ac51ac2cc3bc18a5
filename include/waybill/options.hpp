// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <waybill/engine/engine_options.hpp>
#include <waybill/fwd.hpp>
#include <waybill/protocol/factory.hpp>
#include <waybill/store/store_options.hpp>
#include <waybill/transport/curl_options.hpp>

#include <map>
#include <memory>
#include <string>

namespace waybill {

/// Everything that can be set about an uploader. Only `store.path` has no default.
struct options : engine_options {
    store_options store;
    curl_options http;
    /// Files are uploaded from this folder and what is below it, and from nowhere else, also by jobs that
    /// the store has from before (`errc::source_outside`). Empty: from anywhere. For apps that
    /// take file names from others.
    std::string file_root;

    /// Protocols of your own, by the name stored with their jobs; one with the name of a protocol of the library
    /// replaces it: that is how a protocol gets settings for the whole program.
    std::map<std::string, protocol_factory> protocols;

    /// Parts of your own instead of the built-in ones; null: built in. They are used on the
    /// uploader's strand and may be shared with nothing else.
    struct parts {
        std::shared_ptr<waybill::store> store;
        std::shared_ptr<waybill::transport> transport;
        std::shared_ptr<source_opener> sources;
        std::shared_ptr<waybill::clock> clock;
        std::shared_ptr<random_source> random;
    };
    parts replace;
};

}  // namespace waybill
