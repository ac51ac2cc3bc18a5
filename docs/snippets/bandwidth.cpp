// SPDX-License-Identifier: BSL-1.0
// The code of docs/guide/bandwidth.md, compiled.

#include <waybill/waybill.hpp>

#include <asio/awaitable.hpp>

namespace {

asio::awaitable<void> change(waybill::uploader& uploader, waybill::job_id id) {
    //[change
    co_await uploader.async_limit(waybill::limit_scope::total(), "512K");
    co_await uploader.async_limit(waybill::limit_scope::host("api.example.com"), "08:00,1M 18:00,off");
    co_await uploader.async_limit(waybill::limit_scope::job(id.str()), "100K");
    co_await uploader.async_limit(waybill::limit_scope::total(), "off");
    //]
}

}  // namespace

int main() {
    //[options
    waybill::options options;
    options.bandwidth.total = "10M";                                       // 10 MiB/s for everything
    options.bandwidth.hosts["backup.example.com"] = "08:00,1M 18:00,off";  // 1 MiB/s by day
    options.bandwidth.lanes["logs"] = "64K";
    //]
    static_cast<void>(&change);
}
