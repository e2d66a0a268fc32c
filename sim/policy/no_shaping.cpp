// Every request runs as it was sent.
#include "sim/policy/i_shaper.h"

namespace brink::policy {

namespace {

class NoShaping final : public IShaper {
 public:
  ShapedRequest shape(const RawRequest& request, const ShapingLoad&) override { return unshaped(request); }
};

}  // namespace

ShaperMaker read_no_shaping(ObjectReader&, Json&) {
  return [] { return std::make_unique<NoShaping>(); };
}

}  // namespace brink::policy
