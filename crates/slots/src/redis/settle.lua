-- The seat with index ARGV[2] becomes ARGV[4], if it is still picked with ticket ARGV[3] under token ARGV[1].

local day = known_head()
if not is_ready(day, ARGV[1]) then return '0' end
local at = seat_at(day, number(ARGV[2], 1))
if marks(day, at, at + 2) ~= ARGV[3] then return '0' end
put(at, ARGV[4])
return '1'
