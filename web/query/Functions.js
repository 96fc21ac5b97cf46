// PromQL's functions, aggregations and keywords, with a line on each: for completion.

const functions = `
abs(v)|absolute value
absent(v)|1 when there is no such series
absent_over_time(r)|1 when there was no sample in the range
avg_over_time(r)|mean of the samples in the range
ceil(v)|rounded up
changes(r)|how often the value changed
clamp(v, min, max)|kept between two bounds
clamp_max(v, max)|at most max
clamp_min(v, min)|at least min
count_over_time(r)|number of samples in the range
day_of_month(v)|1 to 31, in UTC
day_of_week(v)|0 (Sunday) to 6, in UTC
day_of_year(v)|1 to 366, in UTC
days_in_month(v)|28 to 31
deg(v)|radians to degrees
delta(r)|difference of last and first, of a gauge
deriv(r)|slope per second, by least squares
exp(v)|e to the power of the value
floor(v)|rounded down
histogram_avg(v)|mean of a native histogram
histogram_count(v)|observations in a native histogram
histogram_fraction(low, high, v)|share of observations between two bounds
histogram_quantile(φ, v)|quantile from the buckets of a histogram
histogram_stddev(v)|standard deviation of a native histogram
histogram_stdvar(v)|variance of a native histogram
histogram_sum(v)|sum of the observations in a native histogram
hour(v)|0 to 23, in UTC
idelta(r)|difference of the last two samples
increase(r)|growth of a counter over the range
irate(r)|growth per second between the last two samples
label_join(v, dst, sep, src…)|a label made of others
label_replace(v, dst, new, src, regex)|a label made by a regular expression
last_over_time(r)|newest sample in the range
ln(v)|natural logarithm
log10(v)|decimal logarithm
log2(v)|binary logarithm
max_over_time(r)|greatest sample in the range
min_over_time(r)|least sample in the range
minute(v)|0 to 59
month(v)|1 to 12, in UTC
pi()|3.14159…
predict_linear(r, t)|value expected in t seconds
present_over_time(r)|1 where the range has a sample
quantile_over_time(φ, r)|quantile of the samples in the range
rad(v)|degrees to radians
rate(r)|growth per second of a counter, mean over the range
resets(r)|how often a counter began anew
round(v, to)|nearest multiple
scalar(v)|the one series' value as a scalar
sgn(v)|−1, 0 or 1
sort(v)|ascending by value
sort_desc(v)|descending by value
sqrt(v)|square root
stddev_over_time(r)|standard deviation of the samples in the range
stdvar_over_time(r)|variance of the samples in the range
sum_over_time(r)|sum of the samples in the range
time()|seconds since 1970 at the evaluation
timestamp(v)|time of each sample
vector(s)|a scalar as a series without labels
year(v)|the year, in UTC
acos(v)|arc cosine
acosh(v)|inverse hyperbolic cosine
asin(v)|arc sine
asinh(v)|inverse hyperbolic sine
atan(v)|arc tangent
atanh(v)|inverse hyperbolic tangent
cos(v)|cosine
cosh(v)|hyperbolic cosine
sin(v)|sine
sinh(v)|hyperbolic sine
tan(v)|tangent
tanh(v)|hyperbolic tangent
`;

const aggregations = `
avg|mean over series
bottomk|the k least series
count|number of series
count_values|how many series have each value
group|1 for each group
max|greatest over series
min|least over series
quantile|quantile over series
stddev|standard deviation over series
stdvar|variance over series
sum|sum over series
topk|the k greatest series
`;

const keywords = 'and bool by group_left group_right ignoring offset on or unless without';

const lines = (table) => table.trim().split('\n').map((line) => line.split('|'));

export const words = [
  ...lines(functions).map(([signature, note]) => ({ text: signature.replace(/\(.*/, ''), kind: 'function', note: `${signature} — ${note}` })),
  ...lines(aggregations).map(([text, note]) => ({ text, kind: 'aggregation', note })),
  ...keywords.split(' ').map((text) => ({ text, kind: 'keyword', note: '' })),
];
