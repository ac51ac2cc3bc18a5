// SPDX-License-Identifier: BSL-1.0
#include <waybill/protocol/automatic.hpp>
#include <waybill/protocol/multipart.hpp>
#include <waybill/protocol/put.hpp>
#include <waybill/protocol/resumable.hpp>
#include <waybill/protocol/tus.hpp>

#include "examples/numbered_protocol.hpp"
#include "loopback/contract/servers.hpp"

#include <optional>
#include <string>

// The protocols and what each can do.
namespace waybill::test {
namespace {

using settings = std::vector<std::pair<std::string, std::string>>;

/// A server each of whose requests is a whole.
std::function<std::unique_ptr<contract_server>()> plain(const std::string& method, const std::string& path,
                                                        std::function<void(job&)> choose) {
    return [=] { return std::make_unique<plain_contract_server>(method, path, choose); };
}

std::function<std::unique_ptr<contract_server>()> over_resumable(bool form, std::function<void(job&)> choose) {
    return [=] { return std::make_unique<resumable_contract_server>(form, choose); };
}

capabilities of_whole_requests(resumption resumes, after_lost_answer lost, settings refused) {
    capabilities can;
    can.resumes = resumes;
    can.lost = lost;
    can.refused_settings = std::move(refused);
    return can;
}

/// What is common to those that keep an upload at the server.
capabilities of_uploads(settings refused) {
    capabilities can;
    can.resumes = resumption::in_item;
    can.lost = after_lost_answer::asks;
    can.leaves_upload = can.is_told_where = true;
    can.refused_settings = std::move(refused);
    return can;
}

std::vector<protocol_under_contract> whole_requests() {
    const settings of_put = {{"unknown", "1"}, {"parallel", "0"}, {"digest", "md5"}, {"method", "DELETE"}};
    const capabilities put_can = of_whole_requests(resumption::at_item, after_lost_answer::repeats, of_put);
    const capabilities post_can = of_whole_requests(resumption::at_item, after_lost_answer::parks, of_put);
    capabilities form_can =
        of_whole_requests(resumption::at_start, after_lost_answer::parks, {{"unknown", "1"}, {"file-field", ""}});
    form_can.is_form = true;
    return {
        {"put", put_can, plain("PUT", "/in/", [](job& j) { j.via(put{}); })},
        {"put by POST", post_can, plain("POST", "/x", [](job& j) { j.via(put{}.method("POST")); })},
        {"multipart", form_can, plain("POST", "/form", [](job& j) { j.via(multipart{}); })},
    };
}

std::vector<protocol_under_contract> resuming() {
    const std::string elsewhere = "http://elsewhere.invalid/upload";
    const settings of_resumable = {{"unknown", "1"},     {"interop", "7"},  {"chunk-size", "x"},
                                   {"method", "DELETE"}, {"digest", "md5"}, {"upload-url", elsewhere}};
    const capabilities tus_can =
        of_uploads({{"unknown", "1"}, {"chunk-size", "x"}, {"parallel", "0"}, {"upload-url", elsewhere}});
    capabilities form_can = of_uploads({{"unknown", "1"}, {"form", "2"}, {"upload-url", elsewhere}});
    form_can.is_form = true;
    capabilities automatic_can = of_uploads({{"unknown", "1"}, {"chunk-size", "x"}});
    automatic_can.is_form = automatic_can.negotiates = true;
    capabilities s3_can =
        of_uploads({{"unknown", "1"}, {"part-size", "1"}, {"parallel", "65"}, {"payload", "unsigned"}});
    s3_can.sends_again = s3_contract_server::part;
    s3_can.repeats_within_attempt = true;
    s3_can.is_told_where = false;
    return {
        {"tus", tus_can, [] { return std::make_unique<tus_contract_server>([](job& j) { j.via(tus{}); }); }},
        {"resumable", of_uploads(of_resumable), over_resumable(false, [](job& j) { j.via(resumable{}); })},
        {"resumable form", form_can, over_resumable(true, [](job& j) { j.via(resumable{}.as_form()); })},
        {"automatic", automatic_can, over_resumable(true, [](job& j) { j.via(automatic{}); })},
        {"s3", s3_can, [] { return std::make_unique<s3_contract_server>(); },
         [](options& how) {
             how.protocols.add(s3_with([](const std::string&, const std::string&) {
                 return std::optional(s3_credentials{s3_server::access_key, s3_server::secret_key, {}});
             }));
         }},
    };
}

/// A protocol of an app's own: that of the example.
protocol_under_contract custom() {
    const capabilities can = of_whole_requests(resumption::at_item, after_lost_answer::repeats, {{"unknown", "1"}});
    return {"the custom example", can, plain("PUT", "/numbered", [](job& j) { j.via(numbered{}); }),
            [](options& how) { how.protocols.add("numbered", &numbered_protocol::make); }};
}

}  // namespace

std::vector<protocol_under_contract> protocols_under_contract() {
    std::vector<protocol_under_contract> all = whole_requests();
    for (protocol_under_contract& one : resuming()) {
        all.push_back(std::move(one));
    }
    all.push_back(custom());
    return all;
}

}  // namespace waybill::test
