"""PromQL trees and raw samples in, values out."""
